package auth

import "os"

// openTerminal opens the console for reading and writing; the standard
// streams may be redirected.
func openTerminal() (in, out *os.File, err error) {
	if in, err = os.OpenFile("CONIN$", os.O_RDWR, 0); err != nil {
		return nil, nil, err
	}
	if out, err = os.OpenFile("CONOUT$", os.O_RDWR, 0); err != nil {
		in.Close()
		return nil, nil, err
	}
	return in, out, nil
}

func terminalPresent() bool {
	in, out, err := openTerminal()
	if err != nil {
		return false
	}
	in.Close()
	out.Close()
	return true
}
