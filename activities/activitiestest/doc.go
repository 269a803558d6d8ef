// Package activitiestest holds what activities need from outside, in memory,
// for tests: an archive, a way out for letters, and readers of messages that
// stand for the child processes. They keep the ports' promises; what the real
// ones do is tested with the real servers.
package activitiestest
