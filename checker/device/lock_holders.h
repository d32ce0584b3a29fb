// Who holds a lock on a file. Best effort: as far as this user may look, on this machine.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace cowvet {

// "COMMAND (process N)".
std::string describe_process(pid_t process);

// The processes with a lock on that byte of the file, except by way of this descriptor; empty: not known.
std::string find_lock_holders(int descriptor, std::uint64_t byte);

}  // namespace cowvet
