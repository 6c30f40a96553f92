package main

import (
	"fmt"
	"io"

	"github.com/schollz/progressbar/v3"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// bar shows the progress of a statement that takes more than a second, and keeps the id of its job.
type bar struct {
	out   io.Writer
	shown bool
	job   string
	b     *progressbar.ProgressBar
}

func (b *bar) tell(p driver.Progress) {
	b.job = p.JobID
	if !b.shown {
		return
	}
	if b.b == nil {
		b.b = progressbar.NewOptions(
			1,
			progressbar.OptionSetWriter(b.out),
			progressbar.OptionSetWidth(20),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionSetPredictTime(false),
		)
	}
	if p.Stages > 0 {
		b.b.ChangeMax(p.Stages)
	}
	b.b.Describe(
		fmt.Sprintf(
			"%s %ds, %s read, stage %d of %d",
			p.State,
			int(p.Elapsed.Seconds()),
			size(p.BytesProcessed),
			p.StagesDone,
			p.Stages,
		),
	)
	b.b.Set(min(p.StagesDone, max(p.Stages-1, 0))) // all of it would end the bar
}

func (b *bar) clear() {
	if b.b != nil {
		b.b.Clear()
	}
}
