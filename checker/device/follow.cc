// A name is resolved below a directory that the user trusts: the image's own, or one of --follow. Nothing on
// the way may be a symbolic link (see beneath.h), so that neither the name nor anything lying in these
// directories leads elsewhere, not even when it is exchanged meanwhile.
#include "checker/device/follow.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <iterator>
#include <ranges>
#include <utility>

#include "checker/device/beneath.h"
#include "checker/device/descriptor.h"
#include "checker/device/file_device.h"

namespace cowvet {
namespace {

namespace fs = std::filesystem;

using Components = std::vector<std::string>;

// What stands between the slashes of `path`, as it is: what ".." leads back to depends on what is there. "."
// is kept at the end, where it demands a directory, as a final slash does.
Components split(std::string_view path) {
  Components components;
  for (const auto part : std::views::split(path, '/')) {
    const std::string_view component(part.begin(), part.end());
    if (!component.empty() && component != ".") components.emplace_back(component);
  }
  if (path.ends_with('/') || path.ends_with("/.") || path == ".") components.emplace_back(".");
  return components;
}

// Whether the components lead to something below where they start, without ever leaving it.
bool stays_below(const Components& components) {
  int depth = 0;
  for (const std::string& component : components) {
    if (component != ".") depth += component == ".." ? -1 : 1;
    if (depth < 0) return false;
  }
  return depth > 0;
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

// Below which names may be followed, and how names may call it.
struct Root {
  std::string path;
  Components called;
};

void add_root(std::vector<Root>& roots, const std::string& path) {
  std::error_code ignored;  // the path is then empty
  for (const fs::path& called : {fs::absolute(path, ignored), fs::canonical(path, ignored)}) {
    if (called.empty()) continue;
    Components components = split(called.string());
    std::erase(components, ".");
    roots.push_back({path, std::move(components)});
  }
}

// From where to where.
struct Way {
  std::string root;
  Components components;
};

// A symbolic link is not followed, but what it stands for can be compared with the image.
std::optional<FileIdentity> identity_behind(int directory, const std::string& name) {
  struct stat status{};
  if (fstatat(directory, name.c_str(), &status, AT_NO_AUTOMOUNT) != 0) return std::nullopt;
  if (S_ISREG(status.st_mode)) return FileIdentity{status.st_dev, status.st_ino};
  if (S_ISBLK(status.st_mode)) return FileIdentity{0, status.st_rdev};
  return std::nullopt;
}

// Opens the directory that holds the last component. errno says why not.
Descriptor open_parent(const Way& way) {
  const Descriptor root(open(way.root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return Descriptor();
  return open_directory_beneath(root.get(), {way.components.begin(), std::prev(way.components.end())});
}

class Opener {
 public:
  explicit Opener(FollowRules rules)
      : rules_(std::move(rules)), directory_(directory_of(rules_.image_path)) {}

  Companion open(const std::string& name) const {
    if (rules_.named_by_user) return open_named_by_user();
    const NameKind kind = judge_name(name);
    if (kind == NameKind::empty) return {.why = "the image gives no name"};
    if (kind == NameKind::protocol || kind == NameKind::unprintable)
      return {.path = name, .why = fmt::format("the name {}", describe_name(kind))};
    const std::string path = (fs::path(rules_.image_path).parent_path() / name).string();
    if (name.size() >= PATH_MAX) return refuse(path, ENAMETOOLONG, {});
    if (const std::optional<Way> way = find_way(full_components(name))) return open_below(*way, path);
    return {.path = path,
            .why = "it is outside the image's directory and of what was allowed to be followed"};
  }

 private:
  Companion open_named_by_user() const {
    const std::string& path = *rules_.named_by_user;
    return examine(FileDevice::open(path), path, Companion::State::missing);
  }

  // From the root of the file system. Leading ".." are taken off the image's real directory.
  Components full_components(const std::string& name) const {
    Components rest = split(name);
    if (name.starts_with('/')) return rest;
    std::error_code failed;
    Components full = split(fs::canonical(directory_, failed).string());
    if (failed) return {};
    const auto first = std::ranges::find_if(rest, [](const std::string& part) { return part != ".."; });
    for (auto up = rest.begin(); up != first && !full.empty(); ++up) full.pop_back();
    full.insert(full.end(), first, rest.end());
    return full;
  }

  // From the innermost directory that the user trusts: the way there is the user's, links and all.
  std::optional<Way> find_way(const Components& full) const {
    std::vector<Root> roots;
    if (rules_.own_directory) add_root(roots, directory_);
    for (const std::string& directory : rules_.follow_directories) add_root(roots, directory);
    std::optional<Way> way;
    for (const Root& root : roots) {
      const auto [below, rest] = std::ranges::mismatch(full, root.called);
      if (rest != root.called.end()) continue;
      Components components(below, full.end());
      if (stays_below(components) && (!way || components.size() < way->components.size()))
        way = Way{root.path, std::move(components)};
    }
    return way;
  }

  Companion open_below(const Way& way, const std::string& path) const {
    const Descriptor parent = open_parent(way);
    if (!parent) return refuse(path, errno, {});
    const std::string& last = way.components.back();
    FileDevice::Opened opened = FileDevice::open_in(parent.get(), last, path);
    if (!opened && opened.error().code == ELOOP)
      return refuse(path, ELOOP, identity_behind(parent.get(), last));
    return examine(std::move(opened), path, Companion::State::not_followed);
  }

  // `if_refused`: the state of a file that is neither regular nor a block device.
  Companion examine(FileDevice::Opened opened, const std::string& path, Companion::State if_refused) const {
    if (!opened) {
      const auto& [message, code] = opened.error();
      return {.state = code == 0 ? if_refused : Companion::State::missing,
              .path = path,
              .why = code == 0 ? message : describe_errno(code)};
    }
    std::unique_ptr<FileDevice> device = std::move(*opened);
    const auto locked = use_locks(device->descriptor(), kDataFileCheckLocks, rules_.locks);
    if (!locked)
      return {.state = Companion::State::missing,
              .path = path,
              .why = locked.error(),
              .identity = device->identity()};
    return {.state = Companion::State::open,
            .device = std::move(device),
            .path = path,
            .remark = std::string(describe(*locked))};
  }

  static Companion refuse(const std::string& path, int code, std::optional<FileIdentity> identity) {
    if (code == ELOOP) return {.path = path, .why = "symbolic links are not followed", .identity = identity};
    if (code == EXDEV) return {.path = path, .why = "it leads out of the directory meanwhile"};
    if (code == ENOTDIR)
      return {.path = path, .why = "something on the way is no directory (symbolic links are not followed)"};
    return {.state = Companion::State::missing, .path = path, .why = describe_errno(code)};
  }

  FollowRules rules_;
  std::string directory_;  // of the image, as the user called it
};

}  // namespace

NameKind judge_name(std::string_view name) {
  if (name.empty()) return NameKind::empty;
  if (std::ranges::any_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    return NameKind::unprintable;
  // As QEMU: a colon before the first slash makes it a protocol.
  const std::size_t mark = name.find_first_of(":/");
  if (mark != std::string_view::npos && name[mark] == ':') return NameKind::protocol;
  if (name.front() == '/') return NameKind::absolute;
  return stays_below(split(name)) ? NameKind::plain : NameKind::escapes;
}

std::string_view describe_name(NameKind kind) {
  switch (kind) {
    case NameKind::plain:
      return "";
    case NameKind::empty:
      return "is empty";
    case NameKind::unprintable:
      return "holds control characters";
    case NameKind::protocol:
      return "is an address of a protocol, not a path";
    case NameKind::escapes:
      return "leads out of the image's directory";
    case NameKind::absolute:
      return "is absolute";
  }
  return "";
}

OpenCompanion make_opener(FollowRules rules) {
  return [opener = Opener(std::move(rules))](const std::string& name) { return opener.open(name); };
}

}  // namespace cowvet
