package googlesql

import "testing"

// extra are functions of the table that the list of BigQuery's reference has not under these names:
// operators that are written as calls, and synonyms.
var extra = map[string]bool{
	"DOUBLE": true, "DOUBLE_ARRAY": true, "GENERATE_DATETIME_ARRAY": true, "CURRENT_DATETIME": true,
}

// TestReference holds the table of functions against the list of BigQuery's.
func TestReference(t *testing.T) {
	t.Parallel()
	for name := range functions {
		if !reference[name] && !extra[name] {
			t.Errorf("%s is in the table of functions and not in BigQuery's reference", name)
		}
	}
	supported := 0
	for name := range reference {
		if functions[name] != nil {
			supported++
		}
	}
	if missing := len(reference) - supported; missing > 40 {
		t.Errorf("got %d of %d functions; %d are missing, want 40 at most", supported, len(reference), missing)
	}
}

// TestUnknownFunctions: a function that BigQuery has is refused by name, another one is not found.
func TestUnknownFunctions(t *testing.T) {
	t.Parallel()
	for call, want := range map[string]string{
		"ST_BUFFER(1, 2)": "Function not supported by the sandbox: ST_BUFFER (it has no geography " +
			"functions) at [1:8]",
		"HLL_COUNT.INIT(1)": "Function not supported by the sandbox: HLL_COUNT.INIT (it has no " +
			"HyperLogLog++ functions) at [1:8]",
		"DLP_DETERMINISTIC_ENCRYPT(1)": "Function not supported by the sandbox: DLP_DETERMINISTIC_ENCRYPT (it has " +
			"no DLP encryption functions) at [1:8]",
		"VECTOR_SEARCH(1)":     "Function not supported by the sandbox: VECTOR_SEARCH at [1:8]",
		"NVL(1, 2)":            "Function not found: NVL at [1:8]",
		"nosuch(1)":            "Function not found: nosuch; Did you mean cosh? at [1:8]",
		"BIT_CAST_TO_INT64(1)": "Function not found: BIT_CAST_TO_INT64 at [1:8]",
	} {
		if _, err := Translate("SELECT "+call, Options{}); err == nil || err.Error() != want {
			t.Errorf("%s: got %v; want %s", call, err, want)
		}
	}
}
