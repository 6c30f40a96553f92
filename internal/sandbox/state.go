package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wholefile"
)

// The files of a state folder.
const (
	addressFile = "sandbox.json"        // where the sandbox listened
	grantsFile  = "google.json"         // who has signed in: tokens
	secretsFile = "client_secrets.json" // the OAuth client
)

// state is the folder that outlives a sandbox. Two sandboxes should not share
// one at the same time: the last to write wins.
type state struct {
	dir         string
	temporary   bool   // dir is removed at the end
	addr        string // kept from the last time
	secretsFile string

	mu     sync.Mutex
	grants []byte // as they were last saved
}

type keptAddress struct {
	Addr string `json:"addr"`
}

// openState makes the folder, or a temporary one that keeps nothing if dir is "".
func openState(dir string) (*state, error) {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "bigquery-sandbox-")
		if err != nil {
			return nil, fmt.Errorf("sandbox: %w", err)
		}
		return &state{dir: tmp, temporary: true, secretsFile: filepath.Join(tmp, secretsFile)}, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("sandbox: StateDir: %w", err)
	}
	// It holds tokens, also if it was there before.
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, fmt.Errorf("sandbox: StateDir: %w", err)
	}
	st := &state{dir: dir, secretsFile: filepath.Join(dir, secretsFile)}
	data, err := os.ReadFile(filepath.Join(dir, addressFile))
	if errors.Is(err, os.ErrNotExist) {
		return st, nil
	}
	if err != nil {
		return nil, fmt.Errorf("sandbox: StateDir: %w", err)
	}
	var kept keptAddress
	// A broken file, or one with an address that is not ours to take, is as none.
	if json.Unmarshal(data, &kept) == nil && checkLoopback(kept.Addr) == nil {
		st.addr = kept.Addr
	}
	return st, nil
}

// begin gives Google its grants back and writes the folder's other files.
func (st *state) begin(google *fakegoogle.Server, addr string) error {
	if err := wholefile.Write(st.secretsFile, google.ClientSecrets()); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if st.temporary {
		return nil
	}
	data, err := os.ReadFile(filepath.Join(st.dir, grantsFile))
	if err == nil {
		// Grants that can't be read are as none: people sign in again.
		if google.Restore(data) == nil {
			st.grants = data
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("sandbox: StateDir: %w", err)
	}
	kept, err := json.Marshal(keptAddress{addr})
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if err := wholefile.Write(filepath.Join(st.dir, addressFile), kept); err != nil {
		return fmt.Errorf("sandbox: StateDir: %w", err)
	}
	return nil
}

// save writes the grants if they have changed.
func (st *state) save(google *fakegoogle.Server) error {
	if st.temporary {
		return nil
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	grants, err := google.State()
	if err != nil || bytes.Equal(grants, st.grants) {
		return err
	}
	if err := wholefile.Write(filepath.Join(st.dir, grantsFile), grants); err != nil {
		return err
	}
	st.grants = grants
	return nil
}

func (st *state) close() {
	if st.temporary {
		_ = os.RemoveAll(st.dir) // a temporary folder that stays does no harm
	}
}

// serveGoogle serves the sign-in. What changes the grants is saved before the
// answer goes out: a token that a client has is never forgotten.
func (s *Server) serveGoogle(w http.ResponseWriter, r *http.Request) {
	if s.state.temporary || r.Method != http.MethodPost {
		s.google.ServeHTTP(w, r)
		return
	}
	s.google.ServeHTTP(&savingWriter{ResponseWriter: w, server: s}, r)
}

// savingWriter saves the grants before the first byte of an answer.
type savingWriter struct {
	http.ResponseWriter
	server *Server
	begun  bool
	failed bool
}

func (w *savingWriter) WriteHeader(status int) {
	if w.begun {
		return
	}
	w.begun = true
	if err := w.server.state.save(w.server.google); err != nil {
		w.failed = true
		w.server.log.Error("the sandbox could not save its sign-ins", "error", err)
		http.Error(w.ResponseWriter, "the sandbox could not save its sign-ins", http.StatusInternalServerError)
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *savingWriter) Write(data []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.failed {
		return len(data), nil
	}
	return w.ResponseWriter.Write(data)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *savingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
