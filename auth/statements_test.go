package auth

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// statements maps the security statements of the design (S) and its list of
// adversarial tests (T) to the tests that hold them. A name with a slash is of
// another package of the module.
var statements = map[string][]string{
	"S1":  {"TestListenerIsLoopback", "TestRedirectPort"},
	"S2":  {"TestRedirectPort", "TestWebClientRedirect", "TestEnsureAsksOnceAndRefreshesSilently"},
	"S3":  {"TestCallbackHost"},
	"S4":  {"TestCallbackNoise"},
	"S5":  {"TestCallbackRefusesForeignAnswers", "FuzzCallbackQuery"},
	"S6":  {"TestCallbackDenied"},
	"S7":  {"TestAuthorizationRequest", "TestCallbackTwice", "TestSources"},
	"S8":  {"TestCallbackRefusesForeignAnswers"},
	"S9":  {"TestCallbackTwice"},
	"S10": {"TestCallbackPrefetch"},
	"S11": {"TestCallbackUnderLoad", "TestListenerLimitsConnections", "TestCallbackNoise", "TestLimits"},
	"S12": {"TestPages"},
	"S13": {"TestPages", "TestPageWhenNotSaved"},
	"S14": {"TestWaitersLeave", "TestCloseDuringConsent", "TestAbortedSignInsLeaveNothing", "TestMain"},
	"S15": {"TestSources"},
	"S16": {"TestCallbackRefusesForeignAnswers", "TestCallbackWithoutIssuer"},
	"S17": {"TestAuthorizationRequest"},
	"S18": {"TestOpener", "TestSources"},
	"S19": {"TestSources", "TestAuthorizationRequest"},
	"S20": {"TestAuthorizationRequest"},
	"S21": {"TestLimits", "TestRefreshFaults", "TestParseClient", "TestSources"},
	"S22": {"TestParseClient", "FuzzParseClient"},
	"S23": {"TestRefreshFaults", "TestExchangeIsNotRepeated"},
	"S24": {"TestIncompleteExchange"},
	"S25": {"TestGrantedScopes"},
	"S26": {"TestUmask", "TestFilesOnDisk", "TestCrashBeforeRename"},
	"S27": {"TestUnusableFiles", "TestFileModeIsRepaired"},
	"S28": {"TestUnusableFiles"},
	"S29": {"TestKeys", "TestFilesOnDisk", "TestTypesHideSecrets"},
	"S30": {"TestForeignRecord"},
	"S31": {"TestKilledProcessFreesLock", "TestFilesOnDisk", "TestFileStoreDirectory"},
	"S32": {"TestSignInWithoutWorkingStore", "TestReadOnlyDirectory"},
	"S33": {"TestKeyringSignIn", "TestKeyringUnavailable"},
	"S34": {"TestTypesHideSecrets", "TestErrorsHideSecrets"},
	"S35": {"dsn/TestParseErrors", "dsn/FuzzErrorsRepeatNoValue"},
	"S36": {"TestErrorsHideSecrets", "TestPrintable", "TestRefreshFaults"},
	"S37": {"TestLogoutAndRevoke"},
	"S38": {"TestTypesHideSecrets", "TestOpener", "TestManualModeAtTerminal"},
	"S39": {"TestConcurrentEnsureAsksOnce", "TestProcessesShareConsent", "TestProcessesShareRefresh"},
	"S40": {"TestHeadlessFailsFast", "TestNeverDoesNotWait"},
	"S41": {"TestLoginTimeoutAndBackoff", "TestBackoffEnds", "TestBackoffAfterAbandonedSignIn",
		"TestProcessesShareRefusal"},
	"S42": {"TestPaste", "TestManualModeAtTerminal", "FuzzPaste"},
	"S43": {"TestLogoutAndRevoke", "TestSources"},

	"T1":  {"TestConcurrentEnsureAsksOnce", "driver/TestOneSignIn"},
	"T2":  {"TestProcessesShareConsent"},
	"T3":  {"TestProcessesShareRefresh"},
	"T4":  {"TestKilledProcessFreesLock"},
	"T5":  {"TestWaitersLeave"},
	"T6":  {"TestCloseDuringConsent", "driver/TestCloseDuringConsent"},
	"T7":  {"TestCallbackRefusesForeignAnswers"},
	"T8":  {"TestCallbackDenied"},
	"T9":  {"TestCallbackHost"},
	"T10": {"TestCallbackNoise"},
	"T11": {"TestCallbackUnderLoad"},
	"T12": {"TestCallbackPrefetch"},
	"T13": {"TestCallbackTwice"},
	"T14": {"TestCallbackTwice", "TestCallbackRace"},
	"T15": {"TestListenerIsLoopback"},
	"T16": {"TestRedirectPort"},
	"T17": {"TestAuthorizationRequest"},
	"T18": {"TestRefreshFaults", "TestRefreshHonoursRetryAfter", "TestErrorsHideSecrets"},
	"T19": {"TestReconsent", "TestReconsentFromEnsure"},
	"T20": {"TestReconsent"},
	"T21": {"TestRefreshPrefersNewerRecord"},
	"T22": {"TestExchangeFailureDoesNotLoop"},
	"T23": {"TestRefreshFaults"},
	"T24": {"TestIncompleteExchange", "TestRefreshTokenRotation"},
	"T25": {"TestGrantedScopes"},
	"T26": {"TestKeys"},
	"T27": {"TestWrongAccount"},
	"T28": {"TestUnusableFiles", "TestForeignRecord", "TestFileModeIsRepaired"},
	"T29": {"TestUmask", "TestCrashBeforeRename", "TestFilesOnDisk"},
	"T30": {"TestSignInWithoutWorkingStore", "TestReadOnlyDirectory", "TestPageWhenNotSaved"},
	"T31": {"TestReadersSeeWholeRecords", "TestRenameIsTriedAgain"},
	"T32": {"TestTypesHideSecrets", "TestErrorsHideSecrets"}, // and every test with a rig
	"T33": {"dsn/TestParseErrors", "dsn/FuzzErrorsRepeatNoValue"},
	"T34": {"TestParseClient", "TestLoadClient"},
	"T35": {"TestOpener"},
	"T36": {"TestModeAuto", "TestHeadlessFailsFast"},
	"T37": {"TestPaste", "TestPasteSignsIn", "TestPasteAndCallback"},
	"T38": {"TestLoginTimeoutAndBackoff"},
	"T39": {"TestRefreshOutlivesCallersContext"},
	"T40": {"TestStrangeLifetimes", "TestClockJumps"},
	"T41": {"TestInvalidate", "driver/TestTokenRefusedOnce", "driver/TestTokenRefusedForEver"},
	"T42": {"TestAmbientCredentialsAreIgnored", "driver/TestNoAmbientCredentials",
		"driver/TestQuotaProjectFromEnvironment"},
	"T43": {"TestLogoutAndRevoke"},
	"T44": {"TestLogoutDuringRefresh"},
	"T45": {"TestStoreLocks", "TestSignInWithoutWorkingStore"},
	"T46": {"TestCallbackRefusesForeignAnswers", "TestCallbackWithoutIssuer"},
	"T47": {"TestPages", "TestPageOfFastEnd"},
	"T48": {"TestAbortedSignInsLeaveNothing"},
	"T49": {"TestTwoAuthenticatorsShareConsent", "driver/TestTwoDatabases"},
	"T50": {"FuzzParseClient", "FuzzCallbackQuery", "FuzzDecodeRecord", "FuzzPaste"},
}

// Every number has its row, and every row names tests that exist.
func TestStatements(t *testing.T) {
	t.Parallel()
	want := map[string]bool{}
	for i := range 43 {
		want[fmt.Sprint("S", i+1)] = true
	}
	for i := range 50 {
		want[fmt.Sprint("T", i+1)] = true
	}
	for id := range statements {
		if !want[id] {
			t.Errorf("%s is no statement", id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if len(statements[id]) == 0 {
			t.Errorf("%s has no test", id)
		}
	}
	have := map[string]map[string]bool{"auth": testNames(t, "."), "dsn": testNames(t, "../dsn"),
		"driver": testNames(t, "../driver")}
	for id, names := range statements {
		for _, name := range names {
			pkg, test, ok := strings.Cut(name, "/")
			if !ok {
				pkg, test = "auth", name
			}
			if !have[pkg][test] {
				t.Errorf("%s: there is no test %s in package %s", id, test, pkg)
			}
		}
	}
}

func testNames(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	must(t, err)
	names := map[string]bool{}
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		must(t, err)
		for _, decl := range tree.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}

// What can't be seen from outside is read off the sources.
func TestSources(t *testing.T) {
	t.Parallel()
	never := map[string]string{ // a pattern, and the statement it would break
		`DefaultServeMux|http\.Handle\(|http\.HandleFunc\(|http\.ListenAndServe`: "S15",
		`oauth:2\.0:oob|device/code|device_code|DeviceAuth`:                      "S19",
		`InsecureSkipVerify(:| =) *true`:                                         "S21",
		`"0\.0\.0\.0|"\[::\]|"localhost:|Listen\("tcp",`:                         "S1",
		`"math/rand`:                          "S7",
		`"(sh|bash|cmd|cmd\.exe|powershell)"`: "S18",
		`os\.Stdin|os\.Stdout|fmt\.Print`:     "S42",
		`os\.TempDir\(`:                       "S31",
		`google\.FindDefault|google\.DefaultTokenSource|ComputeTokenSource`: "T42",
		`\.Revoke\(`:             "S43",
		`include_granted_scopes`: "S20",
	}
	files, err := filepath.Glob("*.go")
	must(t, err)
	constantTime := false
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		must(t, err)
		var code strings.Builder
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(strings.TrimSpace(line), "//") {
				code.WriteString(line)
			}
		}
		for pattern, id := range never {
			if found := regexp.MustCompile(pattern).FindString(code.String()); found != "" {
				t.Errorf("%s: %s has %q", id, file, found)
			}
		}
		constantTime = constantTime || strings.Contains(code.String(),
			"subtle.ConstantTimeCompare([]byte(q.Get(\"state\")), []byte(at.state))")
	}
	if !constantTime {
		t.Error("S7: the state is not compared in constant time")
	}
}

// S11, S21: the limits that take too long to reach in a test.
func TestLimits(t *testing.T) {
	t.Parallel()
	e := newEndpoint(&Client{}, nil)
	if e.http.Timeout != 30*time.Second || e.http.CheckRedirect(nil, nil) == nil || e.http.Jar != nil {
		t.Error("the HTTP client has another time limit, follows redirects or keeps cookies")
	}
	if maxBody != 1<<20 {
		t.Errorf("answers are read up to %d bytes; want 1 MiB", maxBody)
	}
	listeners, err := loopbackListeners(net.Listen, 0)
	must(t, err)
	s := serveLoopback(listeners, nil)
	defer s.close()
	if s.srv.ReadHeaderTimeout != 5*time.Second || s.srv.IdleTimeout == 0 || s.srv.MaxHeaderBytes != 16<<10 {
		t.Error("the callback server has other limits")
	}
}
