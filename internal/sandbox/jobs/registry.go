package jobs

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// maxJobs is how many jobs are kept. The oldest finished one is dropped first.
const maxJobs = 10_000

// registry has the jobs that the sandbox remembers.
type registry struct {
	mu   sync.Mutex
	byID map[string]*Job // by project and id
	list []*Job          // by creation
	// requests are the jobs of jobs.query by request id, recent their keys, oldest first.
	requests map[requestKey]*Job
	recent   []requestKey
	// kept are the finished jobs that hold rows, oldest first; their size is at most limit.
	kept        []*Job
	keptBytes   int64
	resultLimit int64
}

func newRegistry(resultLimit int64) *registry {
	return &registry{byID: map[string]*Job{}, requests: map[requestKey]*Job{}, resultLimit: resultLimit}
}

// add registers a job. An id that is taken is an error.
func (js *registry) add(j *Job) *apierror.Error {
	js.mu.Lock()
	defer js.mu.Unlock()
	key := j.ref.ProjectID + " " + j.ref.JobID
	if js.byID[key] != nil {
		return apierror.Errorf("duplicate", "Already Exists: Job %s:%s.%s", j.ref.ProjectID, j.ref.Location,
			j.ref.JobID)
	}
	js.byID[key] = j
	js.list = append(js.list, j)
	js.forgetOldest()
	return nil
}

func (js *registry) forgetOldest() {
	for i := 0; len(js.list) > maxJobs && i < len(js.list); i++ {
		old := js.list[i]
		select {
		case <-old.finished:
			js.drop(old)
			i--
		default:
		}
	}
}

// drop forgets a job. The caller holds the lock.
func (js *registry) drop(j *Job) {
	delete(js.byID, j.ref.ProjectID+" "+j.ref.JobID)
	js.list = slices.DeleteFunc(js.list, func(o *Job) bool { return o == j })
	if k := slices.Index(js.kept, j); k >= 0 {
		js.kept = slices.Delete(js.kept, k, k+1)
		js.release(j)
	}
}

// release drops the rows of a job that was in kept.
func (js *registry) release(j *Job) {
	j.mu.Lock()
	defer j.mu.Unlock()
	js.keptBytes -= j.result.Bytes
	j.result, j.thrownAway = nil, true
}

// remove drops a job whose id no client knows.
func (js *registry) remove(j *Job) {
	js.mu.Lock()
	defer js.mu.Unlock()
	js.drop(j)
}

// keep counts a finished job's rows, and drops the oldest rows when there are
// too many.
func (js *registry) keep(j *Job) {
	js.mu.Lock()
	defer js.mu.Unlock()
	j.mu.Lock()
	result := j.result
	j.mu.Unlock()
	// A job that was dropped already is garbage, with its rows.
	if result == nil || js.byID[j.ref.ProjectID+" "+j.ref.JobID] != j {
		return
	}
	js.keptBytes += result.Bytes
	js.kept = append(js.kept, j)
	for js.keptBytes > js.resultLimit && len(js.kept) > 1 {
		js.release(js.kept[0])
		js.kept = js.kept[1:]
	}
}

// find looks a job up. Without a location only jobs of the multi-regions are found.
func (js *registry) find(project, id, location string) (*Job, *apierror.Error) {
	js.mu.Lock()
	defer js.mu.Unlock()
	j := js.byID[project+" "+id]
	if j != nil {
		at := strings.ToUpper(j.ref.Location)
		if strings.EqualFold(location, at) || (location == "" && (at == "US" || at == "EU")) {
			return j, nil
		}
	}
	name := project + ":" + id
	if location != "" {
		name = project + ":" + location + "." + id
	}
	return nil, apierror.Errorf("notFound", "Not found: Job %s", name)
}

// newest returns a project's jobs, newest first: the jobs of a script's statements, or
// with parent "" those that belong to no script.
func (js *registry) newest(project, parent string) []*Job {
	js.mu.Lock()
	defer js.mu.Unlock()
	var out []*Job
	for _, j := range slices.Backward(js.list) {
		if j.ref.ProjectID == project && j.parentID() == parent {
			out = append(out, j)
		}
	}
	slices.SortStableFunc(out, func(a, b *Job) int { return cmp.Compare(b.created.UnixNano(), a.created.UnixNano()) })
	return out
}

// all returns a project's jobs, oldest first.
func (js *registry) all(project string) (out []*Job) {
	js.mu.Lock()
	defer js.mu.Unlock()
	for _, j := range js.list {
		if j.ref.ProjectID == project {
			out = append(out, j)
		}
	}
	return out
}

// stopAll stops every job that runs.
func (js *registry) stopAll(cause error) {
	js.mu.Lock()
	defer js.mu.Unlock()
	for _, j := range js.list {
		j.stop(cause)
	}
}

// taken refuses the id of an existing job.
func (js *registry) taken(project, id string) *apierror.Error {
	js.mu.Lock()
	defer js.mu.Unlock()
	if j := js.byID[project+" "+id]; id != "" && j != nil {
		return apierror.Errorf("duplicate", "Already Exists: Job %s:%s.%s", project, j.ref.Location, id)
	}
	return nil
}

// latest are the last n jobs, newest first.
func (js *registry) latest(n int) []*Job {
	js.mu.Lock()
	defer js.mu.Unlock()
	list := slices.Clone(js.list[max(0, len(js.list)-n):])
	slices.Reverse(list)
	return list
}

// repeated returns the job that a request has started, if it is not too long ago.
func (js *registry) repeated(key requestKey, now time.Time) *Job {
	js.mu.Lock()
	defer js.mu.Unlock()
	for len(js.recent) > 0 && now.Sub(js.requests[js.recent[0]].created) > requestLife {
		delete(js.requests, js.recent[0])
		js.recent = js.recent[1:]
	}
	return js.requests[key]
}

func (js *registry) remember(key requestKey, j *Job) {
	js.mu.Lock()
	defer js.mu.Unlock()
	js.requests[key] = j
	js.recent = append(js.recent, key)
}

// resultNamed returns the finished job whose anonymous table has the name, or nil.
func (js *registry) resultNamed(name googlesql.TableName) *Job {
	if len(name.Dataset) != 41 || name.Dataset[0] != '_' {
		return nil
	}
	ref := wire.ReferenceTo(name)
	js.mu.Lock()
	defer js.mu.Unlock()
	for _, j := range slices.Backward(js.list) {
		if c := j.config.Query; c != nil && c.DestinationTable != nil && *c.DestinationTable == ref {
			return j
		}
	}
	return nil
}
