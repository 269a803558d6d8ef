package desk

// What the tests look at from inside.
var (
	PayloadOf   = payloadOf
	ParseGroups = parseGroups
	ParseFlow   = func(id string) bool { _, ok := parseFlow(id); return ok }
	Visible     = visible
	DueWords    = dueWords
	Compared    = compared
)
