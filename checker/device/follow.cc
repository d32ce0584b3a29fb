// A name is resolved component by component below a directory that the user trusts: the image's own, or one
// of
// --follow. Each component is opened in the one before it and may not be a symbolic link, so that neither the
// name nor anything lying in these directories leads elsewhere, not even when it is exchanged meanwhile.
#include "checker/device/follow.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "checker/device/file_device.h"

namespace cowvet {
namespace {

namespace fs = std::filesystem;

class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

fs::path directory_of(const std::string& image_path) {
  std::error_code ignored;
  return fs::absolute(image_path, ignored).lexically_normal().parent_path();
}

bool stays_below(const fs::path& relative) {
  return !relative.empty() && relative != "." && *relative.begin() != "..";
}

// Who a refused symbolic link stands for, without opening it: enough to see that it is the image itself.
std::optional<FileIdentity> identity_behind_link(int directory, const char* name) {
  struct stat status{};
  if (fstatat(directory, name, &status, 0) != 0) return std::nullopt;
  if (S_ISREG(status.st_mode)) return FileIdentity{status.st_dev, status.st_ino};
  if (S_ISBLK(status.st_mode)) return FileIdentity{0, status.st_rdev};
  return std::nullopt;
}

class Opener {
 public:
  explicit Opener(FollowRules rules) : rules_(std::move(rules)) {}

  Companion open(const std::string& name) const {
    if (rules_.named_by_user) return open_named_by_user();
    if (name.empty()) return {.why = "the image gives no name"};
    const NameKind kind = judge_name(name);
    if (kind == NameKind::protocol || kind == NameKind::unprintable)
      return {.path = name, .why = fmt::format("the name {}", describe_name(kind))};
    const fs::path image_directory = directory_of(rules_.image_path);
    const fs::path path = (image_directory / name).lexically_normal();  // an absolute name stays as it is
    for (const fs::path& root : trusted_roots(image_directory)) {
      const fs::path relative = path.lexically_relative(root);
      if (stays_below(relative)) return open_below(root, relative, path.string());
    }
    return {.path = path.string(),
            .why = "it is outside the image's directory and of what was allowed to be followed"};
  }

 private:
  Companion open_named_by_user() const {
    return examine(FileDevice::open(*rules_.named_by_user), *rules_.named_by_user, Companion::State::missing);
  }

  std::vector<fs::path> trusted_roots(const fs::path& image_directory) const {
    std::vector<fs::path> roots{image_directory};
    const auto add_real = [&roots](const fs::path& directory) {
      std::error_code error;
      const fs::path real = fs::canonical(directory, error);
      if (!error) roots.push_back(real);
    };
    add_real(image_directory);
    for (const std::string& directory : rules_.follow_directories) {
      std::error_code ignored;
      roots.push_back(fs::absolute(directory, ignored).lexically_normal());
      add_real(directory);
    }
    return roots;
  }

  Companion open_below(const fs::path& root, const fs::path& relative, const std::string& path) const {
    constexpr int kDirectory = O_PATH | O_DIRECTORY | O_CLOEXEC;
    Descriptor directory(::open(root.c_str(), kDirectory));
    const std::vector<fs::path> components(relative.begin(), relative.end());
    for (std::size_t i = 0; i + 1 < components.size() && directory.get() >= 0; ++i)
      directory = Descriptor(openat(directory.get(), components[i].c_str(), kDirectory | O_NOFOLLOW));
    if (directory.get() < 0) return refuse(path, errno, {});
    const char* last = components.back().c_str();
    constexpr int kFile = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    Descriptor file(openat(directory.get(), last, kFile | O_NOATIME));
    if (file.get() < 0 && errno == EPERM) file = Descriptor(openat(directory.get(), last, kFile));
    if (file.get() < 0) {
      const int code = errno;
      return refuse(path, code, code == ELOOP ? identity_behind_link(directory.get(), last) : std::nullopt);
    }
    return examine(FileDevice::adopt(file.release(), path), path, Companion::State::not_followed);
  }

  // `if_refused`: the state of a file that is neither regular nor a block device.
  Companion examine(std::expected<std::unique_ptr<FileDevice>, OpenError> opened, const std::string& path,
                    Companion::State if_refused) const {
    if (!opened)
      return {.state = opened.error().code == 0 ? if_refused : Companion::State::missing,
              .path = path,
              .why = opened.error().code == 0 ? opened.error().message : describe_errno(opened.error().code)};
    std::unique_ptr<FileDevice> device = std::move(*opened);
    if (rules_.locks) {
      const auto locked = take_locks(device->descriptor(), *rules_.locks);
      if (!locked)
        return {.state = Companion::State::missing,
                .path = path,
                .why = locked.error(),
                .identity = device->identity()};
    }
    return {.state = Companion::State::open, .device = std::move(device), .path = path};
  }

  static Companion refuse(const std::string& path, int code, std::optional<FileIdentity> identity) {
    if (code == ELOOP) return {.path = path, .why = "symbolic links are not followed", .identity = identity};
    if (code == ENOTDIR)
      return {.path = path, .why = "something on the way is no directory (symbolic links are not followed)"};
    return {.state = Companion::State::missing, .path = path, .why = describe_errno(code)};
  }

  FollowRules rules_;
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
  return stays_below(fs::path(name).lexically_normal()) ? NameKind::plain : NameKind::escapes;
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
