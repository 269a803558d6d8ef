package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"fileroom/internal/desk"
	"fileroom/internal/failure"
	"fileroom/internal/library"
	"fileroom/internal/staff"
	"fileroom/workflows"
)

// How long a page waits for a workflow: for its answer to what somebody said,
// and for how it stands.
const (
	sayLimit   = 30 * time.Second
	standLimit = 3 * time.Second
)

// speaker says what staff say at the desk, by a client that signs for whoever
// is named in the context.
type speaker struct{ temporal client.Client }

// Say implements [desk.Speaker].
func (s speaker) Say(ctx context.Context, actor library.Actor, workflowID, updateID string, m library.Message, payload []byte) error {
	ctx, cancel := context.WithTimeout(staff.WithActor(ctx, actor), sayLimit)
	defer cancel()
	update, err := s.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: workflowID, UpdateID: updateID, UpdateName: string(m), WaitForStage: client.WorkflowUpdateStageCompleted,
		Args: []any{json.RawMessage(payload)},
	})
	if err == nil {
		err = update.Get(ctx, nil)
	}
	return refusal(err, m, workflowID)
}

// refusal tells a refusal, which is the workflow's word, from a failure to ask it.
func refusal(err error, m library.Message, workflowID string) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*serviceerror.NotFound](err); ok {
		return library.Errorf(library.NotFound, string(m), workflowID, "the case has ended, and hears nothing any more")
	}
	if _, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		return library.Errorf(library.Conflict, string(m), workflowID, "%s", failure.Plain(err).Error())
	}
	if library.KindOf(err) != "" { // It could not be signed.
		return err
	}
	return library.Fault(string(m), workflowID, err)
}

// standing returns what asks a workflow how it stands.
func standing(c client.Client) func(ctx context.Context, workflowID string) (desk.Standing, error) {
	return func(ctx context.Context, workflowID string) (desk.Standing, error) {
		ctx, cancel := context.WithTimeout(ctx, standLimit)
		defer cancel()
		if !strings.HasPrefix(workflowID, workflows.ReleaseID("")) { // An intake, of which the records know all but whether it listens.
			_, err := c.QueryWorkflow(ctx, workflowID, "", workflows.ArrivalQuery)
			return desk.Standing{}, err
		}
		answer, err := c.QueryWorkflow(ctx, workflowID, "", workflows.CaseQuery)
		if err != nil {
			return desk.Standing{}, err
		}
		var v workflows.CaseView
		err = answer.Get(&v)
		return desk.Standing{Held: v.Held, Note: v.Note, Trouble: v.Trouble, Refused: v.Refused, Approvals: v.Approvals, Needed: v.Needed}, err
	}
}
