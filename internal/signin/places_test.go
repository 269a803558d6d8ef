package signin_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"fileroom/internal/signin"
)

// TestPlaces holds that one address cannot keep others from signing in, and that
// who comes when all places are taken waits for one.
func TestPlaces(t *testing.T) {
	t.Parallel()

	var at []string
	for i := range 8 {
		at = append(at, fmt.Sprintf("192.0.2.%d:1111", i), fmt.Sprintf("192.0.2.%d:2222", i))
	}
	tests := map[string]struct {
		taken []string
		from  string
		free  time.Duration // After which one is given back; 0 is never.
		want  time.Duration // Waited for the place; -1 for none in time.
	}{
		"the first":                              {from: "192.0.2.1:1", want: 0},
		"the second of an address":               {taken: at[:1], from: "192.0.2.0:3", want: 0},
		"the third of an address":                {taken: at[:2], from: "192.0.2.0:3", want: -1},
		"the third, when one leaves":             {taken: at[:2], from: "192.0.2.0:3", free: 2 * time.Second, want: 2 * time.Second},
		"another address meanwhile":              {taken: at[:2], from: "192.0.2.1:3", want: 0},
		"the last place":                         {taken: at[:15], from: "198.51.100.7:1", want: 0},
		"all taken":                              {taken: at, from: "198.51.100.7:1", want: -1},
		"all taken, when one leaves":             {taken: at, from: "198.51.100.7:1", free: 4 * time.Second, want: 4 * time.Second},
		"all taken, when one leaves too late":    {taken: at, from: "198.51.100.7:1", free: 6 * time.Second, want: -1},
		"one household of IPv6":                  {taken: []string{"[2001:db8::1]:1", "[2001:db8::2]:1"}, from: "[2001:db8::3]:1", want: -1},
		"two households of IPv6":                 {taken: []string{"[2001:db8::1]:1", "[2001:db8::2]:1"}, from: "[2001:db8:0:1::3]:1", want: 0},
		"an address of IPv4, in IPv6's spelling": {taken: at[:2], from: "[::ffff:192.0.2.0]:3", want: -1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var p signin.Places
				var leave func()
				for _, from := range tt.taken {
					var ok bool
					if leave, ok = signin.Enter(&p, t.Context(), from, time.Second); !ok {
						t.Fatalf("no place for %s", from)
					}
				}
				if tt.free > 0 {
					time.AfterFunc(tt.free, leave)
				}
				began := time.Now()
				_, ok := signin.Enter(&p, t.Context(), tt.from, 5*time.Second)
				if waited := time.Since(began); ok != (tt.want >= 0) || ok && waited != tt.want {
					t.Errorf("a place: %t, after %s; want it after %s", ok, waited, tt.want)
				}
			})
		})
	}
}
