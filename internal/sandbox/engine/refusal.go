package engine

/*
#include <stdint.h>

static _Thread_local uintptr_t sandbox_watched;
static void sandbox_watch(uintptr_t h) { sandbox_watched = h; }
static uintptr_t sandbox_watcher(void) { return sandbox_watched; }
*/
import "C"

import (
	"errors"
	"runtime"
	"runtime/cgo"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// swallows is what makes a NULL of an error in DuckDB's text. It would make one of a refusal too.
const swallows = "TRY("

// refusalMark is in the text of each refusal.
const refusalMark = "supported by the sandbox"

// watched runs a statement that swallows errors, and fails with a refusal that it has swallowed. DuckDB
// calls the functions on the thread that runs the statement.
func (c *Conn) watched(run func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	h := cgo.NewHandle(c)
	defer h.Delete()
	C.sandbox_watch(C.uintptr_t(h))
	defer func() {
		C.sandbox_watch(0)
		c.refusal = ""
	}()
	err := run()
	e, ok := errors.AsType[*Error](err)
	if c.refusal != "" && (err == nil || ok && e.Type == "interrupt") {
		return &Error{Type: Builtin, Message: c.refusal}
	}
	return err
}

// noteRefusal ends the statement that runs on this thread if the error of one of its functions is a refusal.
func noteRefusal(text string) {
	h := C.sandbox_watcher()
	if h == 0 || !strings.Contains(text, refusalMark) {
		return
	}
	c := cgo.Handle(h).Value().(*Conn)
	c.refusal, _ = builtin.Message(text)
	mapping.Interrupt(c.conn)
}
