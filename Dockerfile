# Fileroom with the programs that its reading needs. Build it with
# `docker compose build`; docker-compose.yml says how it is run.

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# Without cgo the program needs no library of the system.
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags="-s -w" -o /out/fileroom ./cmd/fileroom

FROM debian:bookworm-slim
ARG VERSION=dev
LABEL org.opencontainers.image.title="Fileroom" \
      org.opencontainers.image.description="The back office of a radiology image library: requests for images in, confirmed transfers out." \
      org.opencontainers.image.version="${VERSION}"

# poppler reads PDF files, tesseract reads pictures of pages (English, Spanish,
# and which way up a page lies), tiffcp reads faxes. openssl is for
# deploy/certificates.sh, whose volumes take their owner from /certificates.
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      ca-certificates libtiff-tools openssl poppler-utils tesseract-ocr tesseract-ocr-eng tesseract-ocr-osd tesseract-ocr-spa tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 fileroom \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin fileroom \
 && install -d -o fileroom -g fileroom -m 0700 /var/lib/fileroom /var/lib/fileroom/vault \
 && for part in temporal worker staff ui desk tools; do install -d -o fileroom -g fileroom -m 0755 "/certificates/$part"; done

COPY --from=build /out/fileroom /usr/local/bin/fileroom

USER 10001:10001
WORKDIR /var/lib/fileroom
ENV FILEROOM_VAULT=/var/lib/fileroom/vault

# The process runs or the container ends; what is asked here is whether it can
# get at its records.
HEALTHCHECK --interval=30s --timeout=25s --start-period=60s --retries=3 \
  CMD ["fileroom", "health"]

ENTRYPOINT ["fileroom"]
CMD ["worker"]
