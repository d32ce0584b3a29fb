// A file that a command writes. It is made before the sandbox closes (see sandbox.h), when it is not known
// yet whether there will be anything to write; unless it is kept, it is gone again when the program ends,
// however it ends: a process of its own sees to that, because this one may then not remove files any more.
#pragma once

#include <sys/types.h>

#include <expected>
#include <memory>
#include <ostream>
#include <string>

#include "checker/device/descriptor.h"

namespace cowvet {

class NewFile {
 public:
  // Never one that is there: it might be the image. To be called with no other thread running. `what`: "the
  // plan", for the error, which is a message for people.
  static std::expected<NewFile, std::string> make(const std::string& path, std::string what);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  NewFile(NewFile&&) noexcept = default;
  NewFile& operator=(NewFile&&) noexcept = default;
  ~NewFile();

  int descriptor() const { return file_.get(); }
  // For text and bytes one after another.
  std::ostream& stream() { return *stream_; }
  // All was written. Empty, or what went wrong.
  std::string keep();

 private:
  NewFile() = default;
  bool start_keeper();

  std::string path_;
  std::string what_;
  Descriptor file_;
  std::unique_ptr<std::streambuf> buffer_;
  std::unique_ptr<std::ostream> stream_;
  Descriptor keeper_;  // a byte says "kept", the end without one "remove it"
  pid_t keeper_process_ = -1;
};

}  // namespace cowvet
