package imapmail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"

	"github.com/emersion/go-imap/v2"

	"fileroom/internal/library"
)

var (
	errLost     = errors.New("connection lost, or an answer that is not IMAP")
	errSilent   = errors.New("the server does not answer")
	errNoTLS    = errors.New("no TLS configuration")
	errNoBody   = errors.New("the server gives a message without its body")
	errWithheld = errors.New("the server lists messages that it does not give")
	errShort    = errors.New("the message ended early")
	errSize     = errors.New("the message is larger than announced")
)

// A keepError is an error of the caller's, passed on as it is.
type keepError struct{ error }

func (e keepError) Unwrap() error { return e.error }

// fault returns what went wrong as the caller's error, as a library error, or
// as a fault whose text is of our own making: the client's errors quote the
// server, and the server may quote a message.
func fault(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[keepError](err); ok {
		return e.error
	}
	if ctx.Err() != nil {
		return library.Fault(op, "", context.Cause(ctx))
	}
	if e, ok := errors.AsType[*library.Error](err); ok {
		return &library.Error{Kind: e.Kind, Op: op, Err: e}
	}
	return library.Fault(op, "", reason(err))
}

func reason(err error) error {
	for _, own := range []error{errSilent, errNoTLS, errNoBody, errWithheld, errShort, errSize} {
		if errors.Is(err, own) {
			return own
		}
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e
	}
	if e, ok := errors.AsType[x509.HostnameError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*imap.Error](err); ok {
		return refusal(e)
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return errSilent
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return e
	}
	return errLost
}

// refusal says that the server refused, in its fixed words alone.
func refusal(e *imap.Error) error {
	text := "the server answers " + string(e.Type)
	if known[e.Code] {
		text += " " + string(e.Code)
	}
	return errors.New(text)
}

// known are the response codes of RFC 5530 that say something to an operator.
var known = map[imap.ResponseCode]bool{
	imap.ResponseCodeAuthenticationFailed: true,
	imap.ResponseCodeAuthorizationFailed:  true,
	imap.ResponseCodeCannot:               true,
	imap.ResponseCodeContactAdmin:         true,
	imap.ResponseCodeExpired:              true,
	imap.ResponseCodeInUse:                true,
	imap.ResponseCodeLimit:                true,
	imap.ResponseCodeNoPerm:               true,
	imap.ResponseCodeNonExistent:          true,
	imap.ResponseCodeOverQuota:            true,
	imap.ResponseCodeServerBug:            true,
	imap.ResponseCodeTryCreate:            true,
	imap.ResponseCodeUnavailable:          true,
}

// refusedLogin returns err as [library.Unauthorized] when it is a refusal of
// the credentials. A server whose own directory is down refuses too, and says
// so with a code (RFC 5530); that passes.
func refusedLogin(err error) error {
	e, ok := errors.AsType[*imap.Error](err)
	if !ok || e.Type != imap.StatusResponseTypeNo {
		return err
	}
	passing := []imap.ResponseCode{imap.ResponseCodeUnavailable, imap.ResponseCodeServerBug, imap.ResponseCodeInUse, imap.ResponseCodeLimit}
	if slices.Contains(passing, e.Code) {
		return err
	}
	return library.Errorf(library.Unauthorized, "sign in", "", "the server refuses the name or password")
}
