// --timeout: the whole program ends with "could not complete" once the time is over, whatever it is doing.
#pragma once

#include <cstdint>

namespace cowvet {

// 0: no limit. May be called once.
void limit_time(unsigned seconds);

}  // namespace cowvet
