package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"
)

// measurement is the cost of one read, which runs in its own process.
type measurement struct {
	Seconds  float64
	CPU      float64 // processor time of the process, in seconds; 0 where the system does not say
	Allocs   float64 // for a row
	Bytes    float64 // allocated for a row
	RSS      int64   // peak of the process, in bytes; 0 where the system does not say
	Requests int
	// Start is the time of a new process until it has its first row, without the Go runtime's own
	// start.
	Start float64
}

// A result is read until manyRows rows were read, at most maxRepeats times. A single read of a
// few rows would be too short to be timed.
const (
	manyRows   = 200_000
	maxRepeats = 200
)

// measure reads a result once, or several times if it is small, on open connections.
func measure(
	ctx context.Context, at addresses, r reader, s shape, rows int, profile io.Writer,
) (m measurement, err error) {
	began := time.Now()
	session, err := r.open(ctx, at)
	if err != nil {
		return m, err
	}
	defer session.close()
	read := func() error {
		n, err := session.read(ctx, s, rows)
		if err == nil && n != rows {
			err = fmt.Errorf("read %d rows; want %d", n, rows)
		}
		return err
	}
	if _, err := session.read(ctx, s, 1); err != nil {
		return m, err
	}
	m.Start = time.Since(began).Seconds()
	repeats := max(1, min(manyRows/rows, maxRepeats))
	if _, writes := session.(writeSession); writes {
		repeats = min(repeats, 2) // the server keeps the requests
	}
	if repeats > 1 {
		if err := read(); err != nil { // after it the process has its memory
			return m, err
		}
	}
	before, err := requests(at)
	if err != nil {
		return m, err
	}
	var start, end runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&start)
	if profile != nil {
		if err := pprof.StartCPUProfile(profile); err != nil {
			return m, err
		}
		defer pprof.StopCPUProfile()
	}
	used := processorTime()
	began = time.Now()
	for range repeats {
		if err := read(); err != nil {
			return m, err
		}
	}
	m.Seconds = time.Since(began).Seconds() / float64(repeats)
	m.CPU = (processorTime() - used).Seconds() / float64(repeats)
	runtime.ReadMemStats(&end)
	after, err := requests(at)
	if err != nil {
		return m, err
	}
	total := float64(repeats * rows)
	m.Allocs = float64(end.Mallocs-start.Mallocs) / total
	m.Bytes = float64(end.TotalAlloc-start.TotalAlloc) / total
	m.RSS = peakRSS()
	m.Requests = since(before, after) / repeats
	return m, nil
}

// peakRSS returns the peak memory of the process, which Linux reports.
func peakRSS() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kb, _ := strconv.ParseInt(fields[0], 10, 64)
	return kb << 10
}

// processorTime reads the processor time that the process has taken, in the kernel too, where Linux tells it.
func processorTime() time.Duration {
	const tick = time.Second / 100 // of the kernel's interface, on all platforms of Go
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // after the name
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * tick
}

// job is one measurement, as it is passed to the process that makes it.
type job struct {
	At     addresses
	Reader string
	Shape  string
	Rows   int
	// Profile is the file for a CPU profile of the measurement; "" for none.
	Profile string
}

// child makes the measurement that arg describes and prints it.
func child(ctx context.Context, arg string) error {
	var j job
	if err := json.Unmarshal([]byte(arg), &j); err != nil {
		return err
	}
	r, err := readerNamed(j.Reader)
	if err != nil {
		return err
	}
	s, err := shapeNamed(j.Shape)
	if err != nil {
		return err
	}
	var profile io.Writer
	if j.Profile != "" {
		f, err := os.Create(j.Profile)
		if err != nil {
			return err
		}
		defer f.Close()
		profile = f
	}
	m, err := measure(ctx, j.At, r, s, j.Rows, profile)
	if err != nil {
		return fmt.Errorf("%s, %s, %d rows: %w", r.name, s.name, j.Rows, err)
	}
	return json.NewEncoder(os.Stdout).Encode(m)
}

// inChild makes a measurement in a separate process.
func inChild(ctx context.Context, j job) (m measurement, err error) {
	self, err := os.Executable()
	if err != nil {
		return m, err
	}
	arg, err := json.Marshal(j)
	if err != nil {
		return m, err
	}
	cmd := exec.CommandContext(ctx, self, "-measure", string(arg))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(out, &m)
}
