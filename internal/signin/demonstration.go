package signin

import (
	"net"
	"net/http"

	"fileroom/internal/library"
)

// checkDemonstration refuses to let people say who they are where anybody else
// might be.
func (k *Keeper) checkDemonstration() error {
	const op = "make demonstration sign-in"
	for _, d := range []door{k.panel, k.ui} {
		if !d.loopback() {
			return library.Errorf(library.Invalid, op, d.name, "the demonstration lets anybody in as anybody: its doors must be names under localhost, or loopback addresses")
		}
	}
	seen := make(map[string]bool)
	for _, a := range k.o.Demonstration {
		if a.Subject == "" || a.Name == "" || len(a.Roles) == 0 || seen[a.Subject] || len(a.Subject) > maxText || len(a.Name) > maxText {
			return library.Errorf(library.Invalid, op, "", "every person needs a subject of their own, a name and a role")
		}
		seen[a.Subject] = true
	}
	return nil
}

// nearby reports whether a request comes from this machine, and not through a
// proxy that others could reach.
func nearby(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (k *Keeper) farAway(w http.ResponseWriter, r *http.Request) {
	k.tell(w, r, http.StatusForbidden, notice{
		Title: "Only at its own computer",
		Text:  []string{"This is Fileroom's demonstration, where anybody can be anybody. It lets nobody in who is not at the computer that it runs on."},
	})
}

// who asks who somebody is.
func (k *Keeper) who(w http.ResponseWriter, r *http.Request, to way, bind string) {
	if !nearby(r) {
		k.farAway(w, r)
		return
	}
	k.tell(w, r, http.StatusOK, notice{
		Title:  "Who are you?",
		Text:   []string{"This is a demonstration: choose whom to be. Everybody here is invented, and nobody needs a password."},
		People: k.o.Demonstration, To: to.String(), Bind: bind,
	})
}

// chosen signs somebody in as whom they chose to be.
func (k *Keeper) chosen(w http.ResponseWriter, r *http.Request) {
	if !nearby(r) {
		k.farAway(w, r)
		return
	}
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusBadRequest, "The form is too long, or cannot be read.")
		return
	}
	to, bind, ok := k.wayOf(r.PostForm)
	if !ok {
		k.badWay(w, r)
		return
	}
	for _, a := range k.o.Demonstration {
		if a.Subject == r.PostForm.Get("person") {
			k.admitted(w, r, a, "demonstration", to, bind)
			return
		}
	}
	k.who(w, r, to, bind)
}
