// How the lines of the trace come from C to Config.Trace.

package apivideo

// #include <apivideo.h>
import "C"

import (
	"fmt"
	"runtime/cgo"
)

// apivideoGoTrace is called by the library, on the thread of the call that it traces.
//
//export apivideoGoTrace
func apivideoGoTrace(trace C.uintptr_t, level C.int32_t, line *C.char) {
	// Neither a panic nor runtime.Goexit may pass through the library's frames, and nothing must
	// recover from one above them: raised on a goroutine of its own, it ends the program.
	returned := false
	defer func() {
		if !returned {
			cause := recover()
			go panic(fmt.Sprintf("apivideo: Config.Trace did not return: %v", cause))
			select {}
		}
	}()
	function := cgo.Handle(trace).Value().(func(TraceLevel, string))
	function(TraceLevel(level), C.GoString(line))
	returned = true
}
