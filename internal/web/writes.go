package web

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/proto"
)

// apiNamespace is a namespace in the templates of paths.
const apiNamespace = "/api/v1/namespaces/{namespace}"

// A write is a call of Temporal's API that changes something, other than a
// signal or an update.
type write struct {
	method   string
	template string // Of its path, as google.api.http has it.
	request  func() proto.Message
	refused  string // Why not even an administrator makes it; "" if one may.
}

// of returns an empty message of type M.
func of[M any, P interface {
	*M
	proto.Message
}]() proto.Message {
	return P(new(M))
}

// Why a call is refused to everybody.
const (
	notStarted = "a case is only spoken to by its own updates and signals, and none of them starts one"
	notWorker  = "only a worker says what became of an activity"
	notAlone   = "an activity only runs within a workflow"
)

// writes are the calls that Temporal's API has for a namespace. What is not
// among them is refused: a newer Temporal's calls have to be thought about
// first.
func writes() []write {
	post := func(path string, request func() proto.Message) write {
		return write{method: http.MethodPost, template: apiNamespace + path, request: request}
	}
	remove := func(path string) write { return write{method: http.MethodDelete, template: apiNamespace + path} }
	never := func(path, why string) write {
		return write{method: http.MethodPost, template: apiNamespace + path, refused: why}
	}
	const (
		workflow   = "/workflows/{workflow}"
		inside     = workflow + "/activities/{activity}"
		alone      = "/activities/{activity}"
		version    = "/worker-deployment-versions/{deployment}"
		deployment = "/worker-deployments/{deployment}"
	)
	all := []write{
		post("/update", of[workflowservice.UpdateNamespaceRequest]),

		post(workflow, of[workflowservice.StartWorkflowExecutionRequest]),
		post(workflow+"/terminate", of[workflowservice.TerminateWorkflowExecutionRequest]),
		post(workflow+"/cancel", of[workflowservice.RequestCancelWorkflowExecutionRequest]),
		post(workflow+"/reset", of[workflowservice.ResetWorkflowExecutionRequest]),
		post(workflow+"/pause", of[workflowservice.PauseWorkflowExecutionRequest]),
		post(workflow+"/unpause", of[workflowservice.UnpauseWorkflowExecutionRequest]),
		post(workflow+"/update-options", of[workflowservice.UpdateWorkflowExecutionOptionsRequest]),
		post(workflow+"/trigger-rule", of[workflowservice.TriggerWorkflowRuleRequest]),
		never(workflow+"/signal-with-start/{name}", notStarted),

		post("/activities-deprecated/pause", of[workflowservice.PauseActivityRequest]),
		post("/activities-deprecated/unpause", of[workflowservice.UnpauseActivityRequest]),
		post("/activities-deprecated/reset", of[workflowservice.ResetActivityRequest]),
		post("/activities-deprecated/update-options", of[workflowservice.UpdateActivityOptionsRequest]),
		never(alone, notAlone),
		post(alone+"/cancel", of[workflowservice.RequestCancelActivityExecutionRequest]),
		post(alone+"/terminate", of[workflowservice.TerminateActivityExecutionRequest]),

		post("/batch-operations/{job}", of[workflowservice.StartBatchOperationRequest]),
		post("/batch-operations/{job}/stop", of[workflowservice.StopBatchOperationRequest]),

		post("/schedules/{schedule}", of[workflowservice.CreateScheduleRequest]),
		post("/schedules/{schedule}/update", of[workflowservice.UpdateScheduleRequest]),
		post("/schedules/{schedule}/patch", of[workflowservice.PatchScheduleRequest]),
		remove("/schedules/{schedule}"),

		post("/workflow-rules", of[workflowservice.CreateWorkflowRuleRequest]),
		remove("/workflow-rules/{rule}"),

		post("/task-queues/{queue}/update-config", of[workflowservice.UpdateTaskQueueConfigRequest]),
		post("/workers/fetch-config", of[workflowservice.FetchWorkerConfigRequest]),
		post("/workers/update-config", of[workflowservice.UpdateWorkerConfigRequest]),
		never("/workers/heartbeat", notWorker),
		post("/current-deployment/{series}", of[workflowservice.SetCurrentDeploymentRequest]),
		post(version, of[workflowservice.CreateWorkerDeploymentVersionRequest]),
		post(version+"/{build}/update-metadata", of[workflowservice.UpdateWorkerDeploymentVersionMetadataRequest]),
		post(version+"/{build}/update-compute-config", of[workflowservice.UpdateWorkerDeploymentVersionComputeConfigRequest]),
		post(version+"/{build}/validate-compute-config", of[workflowservice.ValidateWorkerDeploymentVersionComputeConfigRequest]),
		remove(version + "/{build}"),
		post(deployment, of[workflowservice.CreateWorkerDeploymentRequest]),
		post(deployment+"/set-current-version", of[workflowservice.SetWorkerDeploymentCurrentVersionRequest]),
		post(deployment+"/set-ramping-version", of[workflowservice.SetWorkerDeploymentRampingVersionRequest]),
		post(deployment+"/set-manager", of[workflowservice.SetWorkerDeploymentManagerRequest]),
		remove(deployment),

		never("/nexus-operations/{operation}", notStarted), // Temporal's own endpoint signals and starts.
		post("/nexus-operations/{operation}/cancel", of[workflowservice.RequestCancelNexusOperationExecutionRequest]),
		post("/nexus-operations/{operation}/terminate", of[workflowservice.TerminateNexusOperationExecutionRequest]),
	}
	for _, activity := range []string{alone, inside} {
		all = append(
			all,
			post(activity+"/pause", of[workflowservice.PauseActivityExecutionRequest]),
			post(activity+"/unpause", of[workflowservice.UnpauseActivityExecutionRequest]),
			post(activity+"/reset", of[workflowservice.ResetActivityExecutionRequest]),
			post(activity+"/update-options", of[workflowservice.UpdateActivityExecutionOptionsRequest]),
		)
		for _, result := range []string{"/complete", "/fail", "/heartbeat", "/resolve-as-canceled"} {
			all = append(all, never(activity+result, notWorker))
		}
	}
	for _, result := range []string{"/activity-complete", "/activity-fail", "/activity-heartbeat", "/activity-resolve-as-canceled"} {
		all = append(all, never(result, notWorker))
	}
	return all
}

// params are what stands in a path for the names in its template.
type params map[string]string

// match reads a path as it was sent, still escaped, and returns what stands in
// it for the names of the template.
func (wr write) match(method, escaped string) (params, bool) {
	want, got := strings.Split(wr.template, "/"), strings.Split(escaped, "/")
	if method != wr.method || len(want) != len(got) {
		return nil, false
	}
	p := params{}
	for i, w := range want {
		if !strings.HasPrefix(w, "{") {
			if got[i] != w {
				return nil, false
			}
			continue
		}
		value, ok := segment(got[i])
		if !ok || (i == len(want)-1 && strings.Contains(value, ":")) { // For a custom verb.
			return nil, false
		}
		p[strings.Trim(w, "{}")] = value
	}
	return p, true
}

// path returns the path for p, and how it is escaped.
func (wr write) path(p params) (plain, escaped string) {
	parts, raw := strings.Split(wr.template, "/"), strings.Split(wr.template, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = p[strings.Trim(part, "{}")]
			raw[i] = url.PathEscape(parts[i])
		}
	}
	return strings.Join(parts, "/"), strings.Join(raw, "/")
}

// tried names a write that is not among those known, by no more than where it
// was aimed at: what it is made of was typed by somebody.
func tried(r *http.Request) string {
	method := "a method unknown to HTTP"
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace:
		method = r.Method
	}
	if strings.HasPrefix(r.URL.Path, "/api/") {
		return method + " to no known call"
	}
	return method + " to a page"
}

// emptyObject is the body of a call that came without one.
var emptyObject = []byte("{}")

func orEmpty(body []byte) []byte {
	if len(bytes.TrimSpace(body)) == 0 {
		return emptyObject
	}
	return body
}
