/* The one call that tests make by its number. */
#ifdef __cplusplus
extern "C"
#endif
unsigned long __stdcall GetCurrentThreadId(void);
#define SYS_gettid
#define syscall(number) GetCurrentThreadId()
