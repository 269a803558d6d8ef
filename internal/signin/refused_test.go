package signin_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fileroom/internal/library"
	"fileroom/internal/signin"
)

// TestHosts holds that a name pointed here by somebody else serves nothing.
func TestHosts(t *testing.T) {
	t.Parallel()
	h := newKeeper(t, nil)
	for name, door := range map[string]http.Handler{"panel": h.keeper.Panel(), "ui": h.keeper.UI()} {
		for _, host := range []string{"evil.example", "fileroom.localhost:7702", "panel.fileroom.localhost", "127.0.0.1:7702"} {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "https://"+host+"/sign-in", nil)
			r.RemoteAddr = "127.0.0.1:40000"
			door.ServeHTTP(w, r)
			if w.Code != http.StatusMisdirectedRequest {
				t.Errorf("%s door, host %s: status %d", name, host, w.Code)
			}
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*signin.Options){
		"no records":                         func(o *signin.Options) { o.Sessions = nil },
		"no access log":                      func(o *signin.Options) { o.Access = nil },
		"no way to sign in":                  func(o *signin.Options) { o.Demonstration = nil },
		"two ways to sign in":                func(o *signin.Options) { o.OpenID = &signin.OpenID{Issuer: "https://id.example", ClientID: "fileroom"} },
		"one host for both doors":            func(o *signin.Options) { o.UI = o.Panel },
		"a door without TLS":                 func(o *signin.Options) { o.UI = "http://ui.fileroom.localhost:7702" },
		"a door with a path":                 func(o *signin.Options) { o.UI += "/ui" },
		"a limit below the idle time":        func(o *signin.Options) { o.Limit = time.Minute },
		"the demonstration, on a network":    func(o *signin.Options) { o.Panel = "https://panel.fileroom.example" },
		"the demonstration, ui on a network": func(o *signin.Options) { o.UI = "https://192.0.2.7:7702" },
		"the demonstration, a look-alike":    func(o *signin.Options) { o.UI = "https://ui.localhost.evil.example" },
		"a person without a role":            func(o *signin.Options) { o.Demonstration = []library.Actor{{Subject: "a", Name: "A"}} },
		"a person twice":                     func(o *signin.Options) { o.Demonstration = append(o.Demonstration, o.Demonstration[0]) },
		"an issuer in clear": func(o *signin.Options) {
			o.Demonstration, o.OpenID = nil, &signin.OpenID{Issuer: "http://id.example", ClientID: "fileroom"}
		},
		"no client id": func(o *signin.Options) {
			o.Demonstration, o.OpenID = nil, &signin.OpenID{Issuer: "https://id.example"}
		},
		"a role that is none": func(o *signin.Options) {
			o.Demonstration = nil
			o.OpenID = &signin.OpenID{Issuer: "https://id.example", ClientID: "fileroom", Roles: map[string]library.Role{"x": "king"}}
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newKeeper(t, nil)
			o := signin.Options{Sessions: h.records, Access: h.records, Panel: panelURL, UI: uiURL, Demonstration: append([]library.Actor(nil), people...)}
			if _, err := signin.New(o); err != nil {
				t.Fatalf("New, unchanged: %v", err)
			}
			change(&o)
			if _, err := signin.New(o); library.KindOf(err) != library.Invalid {
				t.Errorf("New: %v, want invalid", err)
			}
		})
	}
}

// TestDemonstrationOnlyNearby holds that the demonstration lets nobody in from
// elsewhere, by whatever name they call it.
func TestDemonstrationOnlyNearby(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		from   string
		header string
		want   int
	}{
		"from this machine":                {from: "127.0.0.1:40000", want: http.StatusSeeOther},
		"from this machine, IPv6":          {from: "[::1]:40000", want: http.StatusSeeOther},
		"from the network":                 {from: "192.0.2.7:40000", want: http.StatusForbidden},
		"from the network, IPv6":           {from: "[2001:db8::7]:40000", want: http.StatusForbidden},
		"from nowhere":                     {from: "", want: http.StatusForbidden},
		"through a proxy":                  {from: "127.0.0.1:40000", header: "X-Forwarded-For", want: http.StatusForbidden},
		"through a proxy, by the standard": {from: "127.0.0.1:40000", header: "Forwarded", want: http.StatusForbidden},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newKeeper(t, nil)
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				r := httptest.NewRequest(method, panelURL+"/sign-in", strings.NewReader("person=demo-lead&to=panel:/desk"))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.RemoteAddr = tt.from
				if tt.header != "" {
					r.Header.Set(tt.header, "192.0.2.7")
				}
				w := httptest.NewRecorder()
				h.keeper.Panel().ServeHTTP(w, r)
				want := tt.want
				if want == http.StatusSeeOther && method == http.MethodGet {
					want = http.StatusOK
				}
				if w.Code != want {
					t.Errorf("%s: status %d, want %d", method, w.Code, want)
				}
				if want == http.StatusForbidden && (w.Header().Get("Set-Cookie") != "" || !strings.Contains(w.Body.String(), "demonstration")) {
					t.Errorf("%s: %v %s", method, w.Header(), w.Body)
				}
			}
		})
	}
}
