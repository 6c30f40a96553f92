module github.com/bigqueryuser/bigqueryuser/examples

go 1.26.0

require (
	github.com/bigqueryuser/bigqueryuser v0.0.0
	github.com/bigqueryuser/bigqueryuser/internal/sandbox v0.0.0
)

replace (
	github.com/bigqueryuser/bigqueryuser => ..
	github.com/bigqueryuser/bigqueryuser/internal/sandbox => ../internal/sandbox
)
