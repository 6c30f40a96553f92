package fakebq

import (
	"strings"
	"testing"
)

func TestScripts(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	s.On(" SELECT i\n", numbers(1), numbers(2))
	s.OnFunc(func(st Statement) (Answer, bool) {
		return numbers(7), strings.HasPrefix(st.SQL, "SELECT f") && st.Project == "p" && st.Request != nil
	})
	s.OnAny(numbers(9))
	svc := rest(t, s)
	for _, tc := range []struct {
		sql  string
		want int
	}{{"SELECT i", 1}, {"SELECT i ", 2}, {"SELECT i", 2}, {"SELECT f", 7}, {"SELECT z", 9}, {"SELECT z", 9}} {
		r, err := svc.Jobs.Query("p", googleSQL(tc.sql)).Do()
		if err != nil || len(r.Rows) != tc.want {
			t.Errorf("%s: got %+v, %v; want %d rows", tc.sql, r, err, tc.want)
		}
	}
}

func TestBytesBilledLimit(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	a := people()
	a.Billed = 1000
	s.On("SELECT people", a)
	svc := rest(t, s)
	for limit, ok := range map[int64]bool{0: true, 999: false, 1000: true} {
		q := googleSQL("SELECT people")
		q.MaximumBytesBilled = limit
		_, err := svc.Jobs.Query("p", q).Do()
		if ok && err != nil {
			t.Errorf("limit %d: %v", limit, err)
		}
		if !ok {
			wantError(t, err, 400, "bytesBilledLimitExceeded")
		}
	}
}

func TestLegacyProject(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	s.On("SELECT people", people())
	svc := rest(t, s)
	r, err := svc.Jobs.Query("example.com:proj", googleSQL("SELECT people")).Do()
	if err != nil || r.JobReference.ProjectId != "example.com:proj" {
		t.Fatalf("got %+v, %v", r, err)
	}
	if _, err := svc.Jobs.GetQueryResults("example.com:proj", r.JobReference.JobId).Do(); err != nil {
		t.Error(err)
	}
}

func TestOptionalJob(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	a := people()
	a.NoJob = true
	s.On("SELECT people", a)
	svc := rest(t, s)
	q := googleSQL("SELECT people")
	r, err := svc.Jobs.Query("p", q).Do()
	if err != nil || r.JobReference == nil {
		t.Errorf("got %+v, %v; want a job", r, err)
	}
	q.JobCreationMode = "JOB_CREATION_OPTIONAL"
	r, err = svc.Jobs.Query("p", q).Do()
	if err != nil || r.JobReference != nil || r.QueryId == "" || len(r.Rows) != 3 {
		t.Errorf("got %+v, %v; want rows and no job", r, err)
	}
	q.MaxResults = 1
	r, err = svc.Jobs.Query("p", q).Do()
	if err != nil || r.JobReference == nil || r.PageToken == "" {
		t.Errorf("got %+v, %v; want a job for the second page", r, err)
	}
}

func TestScriptAndList(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	insert := Answer{DML: &DML{Inserted: 4}, ChildSQL: "INSERT ..."}
	s.On("BEGIN ... END", Answer{Children: []Answer{numbers(1), insert, people()}})
	svc := rest(t, s)
	r, err := svc.Jobs.Query("p", googleSQL("BEGIN ... END")).Do()
	if err != nil {
		t.Fatal(err)
	}
	if r.StatementType != "SCRIPT" || len(r.Rows) != 3 {
		t.Errorf("got %s with %d rows; want SCRIPT with the three of the last statement", r.StatementType, len(r.Rows))
	}
	s.On("BEGIN ... INSERT; END", Answer{Children: []Answer{numbers(1), insert}})
	if r, err := svc.Jobs.Query("p", googleSQL("BEGIN ... INSERT; END")).Do(); err != nil || len(r.Rows) != 0 {
		t.Errorf("got %+v, %v; want no rows, since the last statement is no SELECT", r, err)
	}
	j, err := svc.Jobs.Get("p", r.JobReference.JobId).Do()
	if err != nil || j.Statistics.NumChildJobs != 3 {
		t.Fatalf("got %+v, %v; want three children", j, err)
	}
	list, err := svc.Jobs.List("p").ParentJobId(r.JobReference.JobId).MaxResults(2).Projection("full").Do()
	if err != nil || len(list.Jobs) != 2 || list.NextPageToken == "" {
		t.Fatalf("got %+v, %v; want two jobs and a token", list, err)
	}
	dml := list.Jobs[1] // the newest comes first
	if dml.Statistics.Query.NumDmlAffectedRows != 4 || dml.Statistics.ParentJobId != r.JobReference.JobId ||
		dml.Configuration.Query.Query != "INSERT ..." {
		t.Errorf("got second child %+v", dml.Statistics)
	}
	rest2, err := svc.Jobs.List("p").ParentJobId(r.JobReference.JobId).PageToken(list.NextPageToken).Do()
	if err != nil || len(rest2.Jobs) != 1 || rest2.NextPageToken != "" {
		t.Fatalf("got %+v, %v; want the last child", rest2, err)
	}
	page, err := svc.Jobs.GetQueryResults("p", rest2.Jobs[0].JobReference.JobId).Do()
	if err != nil || len(page.Rows) != 1 {
		t.Errorf("got %+v, %v; want the row of the first SELECT", page, err)
	}
	top, err := svc.Jobs.List("p").Do()
	if err != nil || len(top.Jobs) != 2 {
		t.Errorf("got %d jobs, %v; want the two scripts alone", len(top.Jobs), err)
	}
}

func TestStatistics(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	a := people()
	a.Bytes, a.Billed, a.SlotMillis, a.CacheHit, a.Destination = 10, 20, 30, true, "example.com:p.d.t"
	a.Warnings = []Error{{Reason: "invalid", Message: "careful"}}
	s.On("SELECT people", a)
	svc := rest(t, s)
	r, err := svc.Jobs.Query("p", googleSQL("SELECT people")).Do()
	if err != nil {
		t.Fatal(err)
	}
	if r.TotalBytesProcessed != 10 || r.TotalBytesBilled != 20 || r.TotalSlotMs != 30 || !r.CacheHit ||
		len(r.Errors) != 1 || r.CreationTime == 0 {
		t.Errorf("query: got %+v", r)
	}
	j, err := svc.Jobs.Get("p", r.JobReference.JobId).Do()
	if err != nil {
		t.Fatal(err)
	}
	q := j.Statistics.Query
	if q.TotalBytesProcessed != 10 || q.TotalBytesBilled != 20 || q.TotalSlotMs != 30 || !q.CacheHit ||
		q.StatementType != "SELECT" {
		t.Errorf("get: got %+v", q)
	}
	d := j.Configuration.Query.DestinationTable
	if d.ProjectId != "example.com:p" || d.DatasetId != "d" || d.TableId != "t" || j.UserEmail != "ada@example.com" {
		t.Errorf("got table %+v of %s", d, j.UserEmail)
	}
}
