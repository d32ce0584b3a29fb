#include "checker/device/nbd.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "checker/nbd/module.h"

namespace cowvet {
namespace {

constexpr const char* kModule = "cowvet-nbd.so";

// Beside the program, as it is built, or where it is installed; nowhere that the environment names.
std::vector<std::filesystem::path> module_places() {
  std::error_code failed;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) return {};
  const std::filesystem::path folder = program.parent_path();
  return {folder / kModule, folder / COWVET_LIBRARY_FROM_PROGRAM / "cowvet" / kModule};
}

std::expected<NbdModuleEntry, std::string> load_module() {
  std::error_code ignored;
  for (const std::filesystem::path& place : module_places()) {
    if (!std::filesystem::exists(place, ignored)) continue;
    void* module = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    void* entry = module ? dlsym(module, COWVET_NBD_ENTRY) : nullptr;
    if (!entry) return std::unexpected(std::string(dlerror()));  // NOLINT(concurrency-mt-unsafe): glibc's is
    return reinterpret_cast<NbdModuleEntry>(entry);
  }
  return std::unexpected("the NBD component (package cowvet-nbd) is not installed");
}

}  // namespace

bool is_nbd_address(std::string_view path) {
  constexpr std::string_view kSchemes[] = {"nbd://", "nbds://", "nbd+unix://", "nbds+unix://"};
  return std::ranges::any_of(kSchemes, [&](std::string_view scheme) { return path.starts_with(scheme); });
}

std::expected<std::unique_ptr<Device>, std::string> open_nbd(const std::string& address) {
  static const std::expected<NbdModuleEntry, std::string> kConnect = load_module();
  if (!kConnect) return std::unexpected(fmt::format("{}: {}", address, kConnect.error()));
  std::string error;
  std::unique_ptr<Device> device((*kConnect)(address, error));
  if (!device) return std::unexpected(fmt::format("{}: {}", address, error));
  return device;
}

}  // namespace cowvet
