package workflows

import (
	"fmt"

	"go.temporal.io/sdk/temporal"

	"fileroom/activities"
	"fileroom/internal/library"
)

// Task queues, by what their work needs.
const (
	TaskQueue     = "fileroom" // Workflows, and activities that are soon done.
	ReadingQueue  = "reading"  // Processor time.
	ImagingQueue  = "imaging"  // Network and disk.
	MailroomQueue = "mailroom" // Watchers, which wait most of the time.
)

// Signals of the program itself. Those of staff are named as in [library.Message].
const (
	ArrivedSignal = "arrived" // To a Release: more has come for the case ([Arrived]).
	TroubleSignal = "trouble" // From a Transfer to its Release: it cannot go on by itself ([Trouble]).
)

// CaseQuery asks a [Release] where its case stands ([CaseView]).
const CaseQuery = "case"

// ArrivalQuery asks an [Intake] where its arrival stands ([ArrivalView]).
const ArrivalQuery = "arrival"

// Search attributes, which the worker registers. They are never encrypted and
// say nothing about a patient.
var (
	StageAttribute   = temporal.NewSearchAttributeKeyKeyword("Stage")
	WaitingAttribute = temporal.NewSearchAttributeKeyKeyword("Waiting")
	ChannelAttribute = temporal.NewSearchAttributeKeyKeyword("Channel")
	DueAttribute     = temporal.NewSearchAttributeKeyTime("Due")
)

// MailboxID returns the ID of the workflow that watches a mailbox.
func MailboxID(name string) string { return "mailbox/" + name }

// IntakeID returns the ID of the workflow that takes in an arrival.
func IntakeID(id library.ArrivalID) string { return fmt.Sprintf("%s%d", activities.IntakeWorkflow, id) }

// LateIntakeID returns the ID of the workflow that takes in, once more, an
// arrival that reached its case when it had ended.
func LateIntakeID(id library.ArrivalID) string { return IntakeID(id) + "/late" }

// ReleaseID returns the ID of the workflow that sees a case through.
func ReleaseID(id library.CaseID) string { return activities.ReleaseWorkflow + string(id) }

// TransferID returns the ID of the workflow of a case's nth transfer, from 1.
func TransferID(id library.CaseID, n int) string { return fmt.Sprintf("transfer/%s/%d", id, n) }
