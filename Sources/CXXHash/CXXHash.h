// xxHash's header, as the system has it; CFiles compiles what it needs into itself, so nothing is linked.
#pragma once
#define XXH_INLINE_ALL
#include <xxhash.h>
