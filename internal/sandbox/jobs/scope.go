package jobs

import (
	"strings"
	"sync"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// scope holds variables: those of a session, of a script or of a block in one. A script that
// runs in a session keeps the variables of its top level in the session's scope. A nil scope
// has none.
type scope struct {
	outer *scope
	mu    sync.Mutex // a dry run looks at a session's variables while a script sets them
	vars  []variable
}

// variable is a variable of a script. A system variable's name begins with @@.
type variable struct {
	name  string
	typ   googlesql.Type // with its parameters, as in STRING(3)
	value engine.Value
}

func null(t googlesql.Type) engine.Value { return engine.Value{Type: t, Null: true} }

// find returns a variable of the scope or of one around it.
func (s *scope) find(name string) (variable, bool) {
	for ; s != nil; s = s.outer {
		s.mu.Lock()
		i := s.index(name)
		if i >= 0 {
			defer s.mu.Unlock()
			return s.vars[i], true
		}
		s.mu.Unlock()
	}
	return variable{}, false
}

// index returns the place of a variable in this scope alone, or -1. The caller holds the
// lock.
func (s *scope) index(name string) int {
	for i, v := range s.vars {
		if strings.EqualFold(v.name, name) {
			return i
		}
	}
	return -1
}

// declare makes a variable in this scope.
func (s *scope) declare(v variable) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.vars = append(s.vars, v)
}

// set gives a variable a value, where it was declared.
func (s *scope) set(name string, value engine.Value) {
	for ; s != nil; s = s.outer {
		s.mu.Lock()
		i := s.index(name)
		if i >= 0 {
			s.vars[i].value = value
		}
		s.mu.Unlock()
		if i >= 0 {
			return
		}
	}
}

// types returns the variables that can be named, the innermost first.
func (s *scope) types() []googlesql.Variable {
	var out []googlesql.Variable
	for ; s != nil; s = s.outer {
		s.mu.Lock()
		for _, v := range s.vars {
			out = append(out, googlesql.Variable{Name: v.name, Type: v.typ})
		}
		s.mu.Unlock()
	}
	return out
}
