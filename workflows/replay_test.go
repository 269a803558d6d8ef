package workflows_test

import (
	"path/filepath"
	"testing"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"

	"fileroom/internal/staff"
	"fileroom/internal/staff/stafftest"
	"fileroom/workers"
	"fileroom/workflows"
)

// TestReplay replays every recorded history through today's code. A history is
// recorded once, by the integration tests, for each path through a workflow,
// and is never edited: when this test fails, the code is what must change.
func TestReplay(t *testing.T) {
	t.Parallel()

	histories, err := filepath.Glob("testdata/histories/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(histories) == 0 {
		t.Fatal("no histories recorded")
	}
	for _, h := range histories {
		t.Run(filepath.Base(h), func(t *testing.T) {
			t.Parallel()

			// A verifier that knows no key: a replay judges nobody again.
			r, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
				Interceptors: []interceptor.WorkerInterceptor{staff.Interceptor(&staff.Verifier{Digests: stafftest.Digests("none")}, workers.StaffMessages...)},
			})
			if err != nil {
				t.Fatal(err)
			}
			r.RegisterWorkflow(workflows.Mailbox)
			r.RegisterWorkflow(workflows.Intake)
			r.RegisterWorkflow(workflows.Release)
			r.RegisterWorkflow(workflows.Transfer)
			if err := r.ReplayWorkflowHistoryFromJSONFile(nil, h); err != nil {
				t.Error(err)
			}
		})
	}
}
