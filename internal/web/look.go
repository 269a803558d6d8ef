package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"fileroom/internal/library"
)

// A subject is what the id of a workflow says that it is about.
type subject struct {
	workflow string
	kase     library.CaseID    // Empty for an arrival.
	arrival  library.ArrivalID // 0 for a case.
}

// subjectOf reads a workflow's id: release/<case>, transfer/<case>/<n> and the
// like, intake/<arrival>, intake/<arrival>/late. Others are about nobody, the
// zero subject, and false. What it returns is made of the id's own parts, so that nothing which
// somebody typed into an address gets into the access log.
func subjectOf(workflow string) (subject, bool) {
	parts := strings.Split(workflow, "/")
	if len(parts) < 2 || len(parts) > 3 {
		return subject{}, false
	}
	switch kind := parts[0]; {
	case kind == "intake" && (len(parts) == 2 || parts[2] == "late"):
		n, err := strconv.ParseInt(parts[1], 10, 64)
		if err == nil && n > 0 && strconv.FormatInt(n, 10) == parts[1] {
			return subject{workflow: workflow, arrival: library.ArrivalID(n)}, true
		}
	case kind == "release" && len(parts) == 2,
		slices.Contains([]string{"transfer", "disc", "share"}, kind) && len(parts) == 3 && number(parts[2]):
		id, err := library.ParseCaseID(parts[1])
		if err == nil && string(id) == parts[1] {
			return subject{workflow: workflow, kase: id}, true
		}
	}
	return subject{}, false
}

// listens reports whether a workflow hears what staff say: that of a case, and
// those that take in an arrival.
func (s subject) listens() bool {
	return s.arrival != 0 || strings.HasPrefix(s.workflow, "release/")
}

func number(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n > 0 && strconv.Itoa(n) == s
}

// How often the log says the same again.
const (
	lookEvery = time.Minute
	// openEvery is for how long a workflow is open at somebody's who has asked
	// for it. It is longer than any session idles: the window that asks by
	// itself does so far more often, and keeps none alive.
	openEvery = 30 * time.Minute
	// firstDecoded is how many payloads a line allows to be decoded, and the
	// next in the same minute allows ten times as many.
	firstDecoded = 100
	// maxMarks bounds what is remembered. Beyond it lines may come twice.
	maxMarks = 10_000
)

// logWait is how long a line may take to be written.
const logWait = 10 * time.Second

// An accessLog enters looks, and knows which it has entered lately. The UI asks
// for a case several times a second; a line for each would hide who looked.
type accessLog struct {
	records library.AccessRecords
	now     func() time.Time

	mu    sync.Mutex
	marks map[markKey]*mark
}

// A markKey is somebody's sitting, and a workflow that they look at; "" is what
// they have decoded.
type markKey struct{ session, workflow string }

// A mark is what has been entered about a markKey.
type mark struct {
	asked   time.Time     // When it was last asked for.
	entered time.Time     // When the line was made that holds.
	allowed int           // Payloads that the lines since then allow.
	used    int           // Payloads decoded since then.
	writing chan struct{} // Closed when the line that is being written is; nil if none is.
}

// opens reports whether nobody in the session has asked for the workflow of
// late.
func (l *accessLog) opens(s library.Session, about subject) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	m := l.mark(markKey{s.ID, about.workflow}, now)
	opens := m.asked.IsZero() || now.Sub(m.asked) >= openEvery
	m.asked = now
	return opens
}

// mark returns what is known about a key. The caller holds the lock.
func (l *accessLog) mark(k markKey, now time.Time) *mark {
	m, ok := l.marks[k]
	if !ok {
		if len(l.marks) >= maxMarks {
			l.forget(now)
		}
		m = new(mark)
		l.marks[k] = m
	}
	return m
}

// forget makes room: what is old first, and if that is nothing, everything.
func (l *accessLog) forget(now time.Time) {
	for k, m := range l.marks {
		if now.Sub(m.asked) >= openEvery && now.Sub(m.entered) >= lookEvery {
			delete(l.marks, k)
		}
	}
	if len(l.marks) >= maxMarks {
		clear(l.marks)
	}
}

// looked enters that somebody looks at a workflow, once a minute. It returns
// when that is entered, by this call or another.
func (l *accessLog) looked(ctx context.Context, s library.Session, about subject) error {
	return l.enter(ctx, markKey{s.ID, about.workflow}, 0, func(int) library.Look {
		return l.look(s, about, library.LookTemporal, about.workflow)
	})
}

// decoded enters that somebody has n payloads decoded. The UI has that done in
// many small calls, of which none knows the sum, and a look must be entered
// before it happens. So a line allows a number of payloads for a minute, and
// when they are used up another allows ten times as many: the log tells who
// looked at a page from who reads everything, in a line or two a minute.
func (l *accessLog) decoded(ctx context.Context, s library.Session, n int) error {
	return l.enter(ctx, markKey{session: s.ID}, n, func(allowed int) library.Look {
		return l.look(s, subject{}, library.LookDecoded, "up to "+strconv.Itoa(allowed)+" payloads")
	})
}

func (l *accessLog) look(s library.Session, about subject, what library.LookKind, detail string) library.Look {
	return library.Look{
		At: l.now(), Actor: s.Actor, Case: about.kase, Arrival: about.arrival,
		What: what, Detail: detail, Session: s.ID,
	}
}

// enter enters the line that makes, unless one of the last minute still allows
// another n payloads.
func (l *accessLog) enter(ctx context.Context, k markKey, n int, line func(allowed int) library.Look) error {
	l.mu.Lock()
	for {
		now := l.now()
		m := l.mark(k, now)
		if now.Sub(m.entered) >= lookEvery && m.writing == nil {
			m.allowed, m.used = 0, 0
		}
		if m.allowed > 0 && m.used+n <= m.allowed {
			m.used += n
			l.mu.Unlock()
			return nil
		}
		if m.writing == nil {
			return l.writeLine(ctx, m, n, line) // Which unlocks.
		}
		writing := m.writing
		l.mu.Unlock()
		select {
		case <-writing: // It may have failed, and does not speak for us.
		case <-ctx.Done():
			return library.Fault("enter look", "", ctx.Err())
		}
		l.mu.Lock()
	}
}

// writeLine enters the next line about m, and uses n payloads of what it
// allows. The caller holds the lock, which is free again afterwards.
func (l *accessLog) writeLine(ctx context.Context, m *mark, n int, line func(allowed int) library.Look) error {
	allowed := max(m.allowed, firstDecoded/10)
	for allowed *= 10; allowed < m.used+n; {
		allowed *= 10
	}
	fresh := m.allowed == 0
	m.writing = make(chan struct{})
	l.mu.Unlock()

	at := l.now()
	err := l.add(ctx, line(allowed))

	l.mu.Lock()
	defer l.mu.Unlock()
	close(m.writing)
	m.writing = nil
	if err != nil {
		return err
	}
	if fresh {
		m.entered = at
	}
	m.allowed, m.used = allowed, m.used+n
	return nil
}

// add enters looks, or fails within [logWait].
func (l *accessLog) add(ctx context.Context, looks ...library.Look) error {
	ctx, cancel := context.WithTimeout(ctx, logWait)
	defer cancel()
	return l.records.AddLooks(ctx, looks...)
}

// refuseWrite enters that a write is refused, and refuses it.
func (g *Gateway) refuseWrite(w http.ResponseWriter, r *http.Request, s library.Session, about subject, tried, why string) {
	g.refuseWrites(w, r, why, g.log.look(s, about, library.LookRefused, tried))
}

// refuseWrites does so for a write that is about several workflows.
func (g *Gateway) refuseWrites(w http.ResponseWriter, r *http.Request, why string, lines ...library.Look) {
	if err := g.log.add(r.Context(), lines...); err != nil {
		why += notEntered
	}
	refuse(w, r, http.StatusForbidden, why)
}

// notEntered is said after why something was refused, when that is not on record.
const notEntered = " (and this attempt could not be entered in the access log)"

// A saying is an update or a signal on its way, so that its refusal by the
// workflow can be entered.
type saying struct {
	session library.Session
	about   subject
	tried   string
}

type sayingKey struct{}

func withSaying(ctx context.Context, s saying) context.Context {
	return context.WithValue(ctx, sayingKey{}, s)
}

// enterRefused enters that a workflow refused what was said in ctx, though
// whoever said it may have gone.
func (g *Gateway) enterRefused(ctx context.Context) error {
	s, ok := ctx.Value(sayingKey{}).(saying)
	if !ok {
		return nil
	}
	return g.log.add(context.WithoutCancel(ctx), g.log.look(s.session, s.about, library.LookRefused, s.tried))
}
