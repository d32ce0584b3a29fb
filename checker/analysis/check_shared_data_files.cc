#include "checker/analysis/check_shared_data_files.h"

#include <fmt/format.h>

#include <map>
#include <utility>
#include <vector>

namespace cowvet {
namespace {

using Identity = std::pair<std::uint64_t, std::uint64_t>;

Identity key_of(const FileIdentity& file) {
  return {file.device, file.inode};
}

// The images of one data file: the first one, and the first one that is another image than that.
struct Users {
  const FilesOf* first = nullptr;
  const FilesOf* second = nullptr;
};

void report_shared(const FilesOf& files, const FilesOf& other) {
  add_finding(*files.report, {.rule = rule("data-file/shared"),
                              .place = {.file = File::data_file},
                              .detail = fmt::format("{} uses the same data file", other.report->image_name)});
}

}  // namespace

void check_shared_data_files(std::span<const FilesOf> images) {
  std::map<Identity, Users> users_of;
  for (const FilesOf& files : images) {
    if (!files.data_file) continue;
    Users& users = users_of[key_of(*files.data_file)];
    if (users.first == nullptr) users.first = &files;
    if (users.second == nullptr && files.image != users.first->image) users.second = &files;
  }
  for (const FilesOf& files : images) {
    if (!files.data_file) continue;
    const Users users = users_of[key_of(*files.data_file)];
    if (users.second == nullptr) continue;
    report_shared(files, files.image != users.first->image ? *users.first : *users.second);
  }
}

}  // namespace cowvet
