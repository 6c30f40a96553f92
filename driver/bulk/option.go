package bulk

// Option changes how rows are written.
type Option func(*options)

type options struct {
	committed bool
	load      bool
	progress  func(Progress)
}

// Progress describes how far the writing is.
type Progress struct {
	Rows  int64 // acknowledged by BigQuery
	Bytes int64 // size of these rows as they were sent
}

// Committed makes each row visible as soon as it is acknowledged, for input that does not end.
// After an error the earlier rows stay in the table; Result.Rows is their number.
func Committed() Option { return func(o *options) { o.committed = true } }

// LoadJob writes the rows with a load job, without trying the Storage Write API.
func LoadJob() Option { return func(o *options) { o.load = true } }

// WithProgress calls f when rows were acknowledged, from one goroutine at a time. f should return
// quickly.
func WithProgress(f func(Progress)) Option { return func(o *options) { o.progress = f } }
