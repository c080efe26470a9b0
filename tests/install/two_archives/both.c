/* Uses two Rust static libraries: the other one, then ours. */
#include <stdint.h>

uint32_t other_count(void);
int plugin_run(void);

int main(void) { return other_count() != 3 || plugin_run(); }
