package dsn

// The words of [Config.Auth].
const (
	AuthUser = "user" // of the user who signs in; the default
	AuthADC  = "adc"  // the application-default credentials
	AuthNone = "none" // none, for an endpoint that wants none
)

// The words of [Config.Login].
const (
	LoginAuto    = "auto" // the default
	LoginBrowser = "browser"
	LoginManual  = "manual"
	LoginNever   = "never"
)

// The words of [Config.TokenStore].
const (
	TokenStoreFile    = "file"    // the default
	TokenStoreKeyring = "keyring" // the platform's secure storage
	TokenStoreMemory  = "memory"  // until the program ends
)

// The words of [Config.CreateSession].
const (
	CreateSessionAuto   = "auto"   // for transactions; the default
	CreateSessionAlways = "always" // for every statement
)

// The words of [Config.Priority].
const (
	PriorityInteractive = "interactive" // the default
	PriorityBatch       = "batch"       // when there are idle resources
)

// The words of [Config.JobCreation].
const (
	JobCreationRequired = "required" // the default
	JobCreationOptional = "optional" // a short query may have no job
)

// The words of [Config.WriteDisposition].
const (
	WriteEmpty        = "empty"         // the table must have no rows; the default
	WriteAppend       = "append"        // its rows stay
	WriteTruncate     = "truncate"      // it is made anew
	WriteTruncateData = "truncate_data" // its rows go, its columns stay
)

// The words of [Config.CreateDisposition].
const (
	CreateIfNeeded = "if_needed" // the default
	CreateNever    = "never"
)

// The words of [Config.ReadAPI].
const (
	ReadAPIAuto    = "auto" // by the size of the result; the default
	ReadAPIREST    = "rest"
	ReadAPIStorage = "storage" // the Storage Read API
)
