package driver

import (
	"testing"

	bq "google.golang.org/api/bigquery/v2"
)

// TestLifeOwnJob: which of the listed jobs can be that of a statement whose answer was lost.
func TestLifeOwnJob(t *testing.T) {
	t.Parallel()
	b := &backend{}
	b.runs("known")
	job := func(id, label, text string) *bq.JobListJobs {
		return &bq.JobListJobs{JobReference: &bq.JobReference{JobId: id}, Configuration: &bq.JobConfiguration{
			Labels: map[string]string{labelKey: label}, Query: &bq.JobConfigurationQuery{Query: text}}}
	}
	byID := &bq.Job{JobReference: &bq.JobReference{JobId: "mine"}}
	for _, tt := range []struct {
		name     string
		inserted *bq.Job
		listed   *bq.JobListJobs
		want     bool
	}{
		{"text and label", nil, job("x", "l", "DELETE t"), true},
		{"another label", nil, job("x", "m", "DELETE t"), false},
		{"another text", nil, job("x", "l", "DELETE u"), false},
		{"an id that an answer has named", nil, job("known", "l", "DELETE t"), false},
		{"no configuration", nil, &bq.JobListJobs{JobReference: &bq.JobReference{JobId: "x"}}, false},
		{"by id", byID, job("mine", "", ""), true},
		{"by id, another one of the label", byID, job("x", "l", "DELETE t"), false},
	} {
		l := &left{backend: b, sub: &submission{st: &statement{text: "DELETE t"}, label: "l", job: tt.inserted}}
		if got := l.isOwn(tt.listed); got != tt.want {
			t.Errorf("%s: got %t; want %t", tt.name, got, tt.want)
		}
	}
}
