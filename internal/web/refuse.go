package web

import (
	"encoding/json"
	"net/http"

	"fileroom/internal/library"
)

// refuse answers with a sentence: to a window in words, to all else as the
// Temporal API does, so that the UI shows it.
func refuse(w http.ResponseWriter, r *http.Request, status int, sentence string) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	if opensPage(r) {
		http.Error(w, sentence, status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"code": grpcCode(status), "message": sentence, "details": []any{}})
}

// grpcCode returns the code of google.rpc.Code that fits an HTTP status.
func grpcCode(status int) int {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return 3 // INVALID_ARGUMENT
	case http.StatusUnauthorized:
		return 16 // UNAUTHENTICATED
	case http.StatusBadGateway, http.StatusInternalServerError, http.StatusServiceUnavailable:
		return 14 // UNAVAILABLE
	}
	return 7 // PERMISSION_DENIED
}

// refuseError answers with an error of the library's. Only one with a kind is
// the sender's to mend.
func refuseError(w http.ResponseWriter, r *http.Request, err error) {
	if library.KindOf(err) == "" {
		refuse(w, r, http.StatusInternalServerError, err.Error())
		return
	}
	refuse(w, r, http.StatusBadRequest, err.Error())
}
