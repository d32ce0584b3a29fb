// One repair in which operations fail: once and for good, writes half done, flushes that forget what they
// should have written, reads. Never a silent success; what was said holds; and the next start finds the image
// old or new.
#pragma once

#include <optional>

#include "tests/repair/repairs.h"

namespace cowvet {

class Failing {
 public:
  Failing(const Machine& start, const Plan& plan);

  // Operation (read) number 1, 2, 3 ... fails with `code`, and so do all after it if `for_good`.
  void fail_every_operation(int code, bool for_good);
  void fail_every_read(int code, bool for_good);
  // The machine goes down at an operation, or the process ends, and operation (read) number 1, 2, 3 ... of
  // the recovery fails.
  void fail_every_operation_of_recovery(std::uint64_t down_at, int code, bool for_good);
  void fail_every_read_of_recovery(std::uint64_t down_at, int code, bool for_good);

  std::uint64_t operations() const { return operations_; }
  std::uint64_t failures() const { return failures_; }  // so many runs had one

 private:
  template <typename SetFault>
  void fail_recovery(std::uint64_t down_at, SetFault set_fault);
  void check_announced(const Machine& machine, const RepairResult& result);
  void check_next_start(Machine machine);

  const Machine& start_;
  const Plan& plan_;
  Contents old_;
  Contents new_;
  std::uint64_t operations_ = 0;
  std::uint64_t failures_ = 0;
};

}  // namespace cowvet
