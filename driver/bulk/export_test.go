package bulk

import "time"

func init() { silenceLimit = 3 * time.Second }
