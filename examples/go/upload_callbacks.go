// How what an upload tells comes from C to UploadOptions.Progress and State.

package apivideo

// #include <apivideo.h>
import "C"

import (
	"runtime/cgo"
	"time"
)

// apivideoGoProgress is called by the library, on the thread of the call.
//
//export apivideoGoProgress
func apivideoGoProgress(handle C.uintptr_t, told *C.av_upload_progress) {
	calls := cgo.Handle(handle).Value().(*uploadCalls)
	progress := UploadProgress{
		BytesConfirmed: uint64(told.bytes_confirmed),
		BytesSent:      uint64(told.bytes_sent),
		BytesTotal:     uint64(told.bytes_total),
		BytesRepeated:  uint64(told.bytes_repeated),
		PartsConfirmed: uint32(told.parts_confirmed),
		PartsTotal:     uint32(told.parts_total),
		Activity:       UploadActivity(told.state),
		Wait:           time.Duration(told.wait_ms) * time.Millisecond,
	}
	calls.run(func() { calls.progress(progress) })
}

// apivideoGoState is called by the library, on the thread of the call.
//
//export apivideoGoState
func apivideoGoState(handle C.uintptr_t, state *C.char) {
	calls := cgo.Handle(handle).Value().(*uploadCalls)
	text := C.GoString(state)
	// A part that was confirmed before a callback panicked is told all the same.
	panicked, reason := calls.panicked, calls.reason
	calls.panicked = false
	calls.run(func() { calls.state(text) })
	if panicked {
		calls.panicked, calls.reason = true, reason
	}
}
