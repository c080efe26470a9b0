/* Ctrl-C, by Windows: it ends what is being waited for, and the program tells what was done. */
#include "../tool.h"

#include <stdlib.h>
#include <windows.h>

/* What Ctrl-C sets off. It is never freed: one may come as long as the program runs. */
static struct {
  av_cancel *cancel; /* ends the calls of the library */
  HANDLE event;      /* set from then on */
} interrupt;

/* On a thread of its own, which may call any function. A second Ctrl-C ends the program, as by default. */
static BOOL WINAPI on_control(DWORD kind) {
  if (kind != CTRL_C_EVENT || WaitForSingleObject(interrupt.event, 0) == WAIT_OBJECT_0) return FALSE;
  SetEvent(interrupt.event);
  av_cancel_trigger(interrupt.cancel);
  return TRUE;
}

av_cancel *interrupt_cancel(void) {
  return interrupt.cancel;
}

/* The thread that tells of Ctrl-C may come later than what that has ended. */
bool is_interrupted(void) {
  return WaitForSingleObject(interrupt.event, 200) == WAIT_OBJECT_0;
}

/* Ctrl-C ends what reads from a console. */
bool wait_for_input(void) {
  return true;
}

/* Where Ctrl-C is meant for others, it is not told of. */
void watch_for_interrupt(void) {
  interrupt.cancel = av_cancel_new();
  interrupt.event = CreateEventW(NULL, TRUE, FALSE, NULL);
  if (interrupt.event == NULL || !SetConsoleCtrlHandler(on_control, TRUE)) {
    tell("apivideo: nothing is left to wait for Ctrl-C with");
    exit(CODE_FAILED);
  }
}
