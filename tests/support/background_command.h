// Another program that runs while a test goes on: it is told what to do line by line.
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>

namespace cowvet {

class BackgroundCommand {
 public:
  // Starts `script` by `sh -e` in `directory`.
  BackgroundCommand(const std::string& script, const std::filesystem::path& directory);
  BackgroundCommand(const BackgroundCommand&) = delete;
  BackgroundCommand& operator=(const BackgroundCommand&) = delete;
  ~BackgroundCommand() { finish(); }

  // Sends a line and waits until the program has printed `answer`. False: it ended, or is too slow.
  bool ask(const std::string& line, const std::string& answer);

  // Closes the program's input and waits until it ends; returns its exit status (see CommandResult).
  int finish();

  int process() const { return process_; }
  std::string output() const;

 private:
  std::FILE* output_;
  int input_ = -1;
  int process_ = -1;
  int status_ = -1;
};

}  // namespace cowvet
