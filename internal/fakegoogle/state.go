package fakegoogle

import (
	"encoding/json"
	"fmt"
	"maps"
)

// stateVersion changes when the JSON of State does.
const stateVersion = 1

type savedState struct {
	Version int                     `json:"version"`
	Access  map[string]Grant        `json:"access"`
	Refresh map[string]refreshGrant `json:"refresh"`
}

// State returns the grants and tokens as JSON, so that a restarted server still knows who has
// signed in. It contains tokens: keep it 0600.
func (s *Server) State() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	access := maps.Clone(s.access)
	now := s.opts.Now()
	maps.DeleteFunc(access, func(_ string, g Grant) bool { return !now.Before(g.Expiry) })
	return json.MarshalIndent(savedState{stateVersion, access, s.refresh}, "", "  ")
}

// Restore replaces the grants and tokens by those of an earlier State, without grants of
// unregistered clients.
func (s *Server) Restore(data []byte) error {
	var saved savedState
	if err := json.Unmarshal(data, &saved); err != nil {
		return fmt.Errorf("fakegoogle: reading state: %w", err)
	}
	if saved.Version != stateVersion {
		return fmt.Errorf("fakegoogle: state has version %d; want %d", saved.Version, stateVersion)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
	clear(s.refresh)
	for token, g := range saved.Access {
		if _, ok := s.client(g.ClientID); ok {
			s.access[token] = g
		}
	}
	for token, g := range saved.Refresh {
		if _, ok := s.client(g.ClientID); ok {
			s.refresh[token] = g
		}
	}
	return nil
}
