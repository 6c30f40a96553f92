package bulk

// Option changes how rows are written.
type Option func(*options)

type options struct {
	committed bool
	load      bool
	progress  func(Progress)
}

// Progress is how far the writing is.
type Progress struct {
	Rows  int64 // that BigQuery has acknowledged
	Bytes int64 // of these rows, as they were sent
}

// Committed writes each row for good as soon as it is acknowledged, for input without an end. After an error the rows
// before it are in the table: Result.Rows says how many.
func Committed() Option { return func(o *options) { o.committed = true } }

// LoadJob writes by a load job, without trying the Storage Write API.
func LoadJob() Option { return func(o *options) { o.load = true } }

// WithProgress calls f whenever rows were acknowledged, from one goroutine at a time. f must return soon.
func WithProgress(f func(Progress)) Option { return func(o *options) { o.progress = f } }
