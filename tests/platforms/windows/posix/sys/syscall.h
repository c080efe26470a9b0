/* The one call that tests make by its number. */
unsigned long __stdcall GetCurrentThreadId(void);
#define SYS_gettid
#define syscall(number) GetCurrentThreadId()
