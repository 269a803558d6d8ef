package web

import (
	"net/http"
	"time"
)

// NewServer returns a server for h that bounds what a slow or lavish client can
// cost. The caller sets no more than the certificate and the listener. There is
// no limit on an answer: an update may take its time, and a history is followed
// as it grows. Handlers whose answers end are put into [Bounded].
func NewServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}

// Bounded returns a handler that serves with h, whose answers must be taken by
// the client within d from their first byte: one that reads slowly, or not at
// all, is cut off, and holds no memory and no goroutine for longer. How long h
// thinks before it answers is not counted.
func Bounded(h http.Handler, d time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(&boundedWriter{ResponseWriter: w, within: d}, r)
	})
}

// A boundedWriter sets a deadline when an answer begins. The server takes it off
// again for the connection's next request.
type boundedWriter struct {
	http.ResponseWriter
	within time.Duration
	begun  bool
}

// WriteHeader implements [http.ResponseWriter].
func (b *boundedWriter) WriteHeader(status int) {
	b.begin()
	b.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (b *boundedWriter) Write(p []byte) (int, error) {
	b.begin()
	return b.ResponseWriter.Write(p)
}

// Unwrap is for [http.ResponseController].
func (b *boundedWriter) Unwrap() http.ResponseWriter { return b.ResponseWriter }

func (b *boundedWriter) begin() {
	if b.begun {
		return
	}
	b.begun = true
	// A writer without deadlines is no connection, and nobody reads from it slowly.
	_ = http.NewResponseController(b.ResponseWriter).SetWriteDeadline(time.Now().Add(b.within))
}
