package signin_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"fileroom/internal/signin"
)

// ways are ways to go on to, and where they lead: "" is nowhere.
var ways = map[string]struct{ to, want string }{
	"a page at the panel":   {to: "panel:/desk/K7MQ-42XD?tab=1#top", want: panelURL + "/desk/K7MQ-42XD?tab=1#top"},
	"a page at the ui":      {to: "ui:/namespaces/default/workflows/case%2FK7MQ-42XD", want: uiURL + "/namespaces/default/workflows/case%2FK7MQ-42XD"},
	"an address in a query": {to: "panel:/desk?a=https://evil.example", want: panelURL + "/desk?a=https://evil.example"},
	"nothing":               {to: "", want: panelURL + "/desk"},
	"another host":          {to: "https://evil.example/"},
	"another door":          {to: "evil:/"},
	"no path":               {to: "panel:"},
	"an address at a door":  {to: "panel:https://evil.example/"},
	"two slashes":           {to: "panel://evil.example/"},
	"three slashes":         {to: "panel:///evil.example/"},
	"a backslash":           {to: `panel:/\evil.example/`},
	"a backslash later":     {to: `panel:/a/..\\evil.example`},
	"a tab":                 {to: "panel:/\t/evil.example"},
	"a new line":            {to: "panel:/\r\nSet-Cookie: a=b"},
	"a host that grows":     {to: "panel:.evil.example/"},
	"a port that grows":     {to: "panel:1/"},
	"a user":                {to: "panel:@evil.example/"},
	"a script":              {to: "javascript:alert(1)"},
	"no door":               {to: "/desk"},
	"letters beyond ASCII":  {to: "panel:/ｅvil"},
	"a broken escape":       {to: "panel:/%zz"},
	"very long":             {to: "panel:/" + strings.Repeat("a", 2048)},
}

// TestWays holds that signing in leads to pages of the doors alone.
func TestWays(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	in := h.browser(t)
	in.be("demo-lead", panelURL+"/desk")
	for name, tt := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, status := follow(h, tt.to, in.cookie(panelURL, sessionCookie))
			wantStatus := http.StatusSeeOther
			if tt.want == "" {
				wantStatus = http.StatusBadRequest
			}
			if got != tt.want || status != wantStatus {
				t.Errorf("%q leads to %q (%d), want %q", tt.to, got, status, tt.want)
			}
		})
	}
}

// follow asks the panel door, for somebody who is signed in, to go on.
func follow(h *house, to, token string) (location string, status int) {
	r := httptest.NewRequest(http.MethodGet, panelURL+"/sign-in?"+url.Values{"to": {to}}.Encode(), nil)
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: token})
	w := httptest.NewRecorder()
	h.keeper.Panel().ServeHTTP(w, r)
	return w.Header().Get("Location"), w.Code
}

// FuzzWay looks for a way out of the doors.
func FuzzWay(f *testing.F) {
	for _, tt := range ways {
		f.Add(tt.to)
	}
	f.Fuzz(func(t *testing.T, to string) {
		h := newKeeper(t, nil)
		w := httptest.NewRecorder()
		post := httptest.NewRequest(http.MethodPost, panelURL+"/sign-in", strings.NewReader(url.Values{"person": {"demo-lead"}, "to": {to}}.Encode()))
		post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		post.RemoteAddr = "127.0.0.1:40000"
		h.keeper.Panel().ServeHTTP(w, post)
		location := w.Header().Get("Location")
		if location == "" {
			return
		}
		u, err := url.Parse(location)
		if err != nil || u.User != nil || (u.Scheme+"://"+u.Host != panelURL && u.Scheme+"://"+u.Host != uiURL) {
			t.Errorf("%q leads to %q", to, location)
		}
		if strings.ContainsAny(location, "\\\r\n\t ") || strings.HasPrefix(strings.TrimPrefix(strings.TrimPrefix(location, panelURL), uiURL), "//") {
			t.Errorf("%q leads to %q, which browsers may read in another way", to, location)
		}
	})
}

// FuzzCallback feeds the callback what a browser may send there.
func FuzzCallback(f *testing.F) {
	h := newKeeper(f, func(o *signin.Options) { // Nobody listens there.
		o.Demonstration, o.OpenID = nil, &signin.OpenID{Issuer: "http://127.0.0.1:1", ClientID: "fileroom"}
	}).keeper.Panel()
	f.Add("state=x&code=y", "__Host-fileroom-try-xxxxxxxx=e30")
	f.Add("state="+strings.Repeat("A", 43)+"&error=access_denied", "__Host-fileroom-try-AAAAAAAA=eyJzdGF0ZSI6IkFBIn0")
	f.Fuzz(func(t *testing.T, query, cookie string) {
		r := httptest.NewRequest(http.MethodGet, panelURL+"/callback", nil)
		r.URL.RawQuery = query
		r.Header.Set("Cookie", cookie)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code < 400 {
			t.Errorf("status %d for %q with %q", w.Code, query, cookie)
		}
	})
}
