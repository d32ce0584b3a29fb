// --evidence: knows every file that was read for one image, and what it was like before and after.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "checker/analysis/analyze.h"
#include "checker/analysis/progress.h"
#include "checker/cli/open_images.h"
#include "checker/device/companion.h"
#include "checker/device/device.h"

namespace cowvet {

class EvidenceKeeper {
 public:
  // `progress` must outlive it.
  explicit EvidenceKeeper(Progress& progress) : progress_(progress) {}

  // Reads the whole file for its digest and keeps it open; gives a device that reads it while this lives.
  std::unique_ptr<Device> keep(File file, std::string path, std::unique_ptr<Device> device);
  // The same for a file that an image names, where it is open.
  Companion keep(File file, Companion companion);
  OpenCompanion keeping(File file, OpenCompanion open);

  // Reads all files again, and tells `report` what they were and are. A change is a finding.
  void close(Report& report);

 private:
  struct Kept {
    std::unique_ptr<Device> device;
    Evidence evidence;
  };
  FileState state_of(const Device& device, const Evidence& evidence);

  Progress& progress_;
  std::list<Kept> kept_;
  std::list<Finding> findings_;
};

// Puts the keeper between `opened` and who reads it, which must end before the keeper does.
void keep_evidence(OpenedImage& opened, const std::string& path, EvidenceKeeper& keeper);

}  // namespace cowvet
