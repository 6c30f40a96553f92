package googlesql

var knownFunctions = map[string]bool{}
