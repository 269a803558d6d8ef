package workflows

// Plain is what the tests look at from inside.
var Plain = plain
