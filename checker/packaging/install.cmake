# What is installed: the programs, and libcowvet, which is the checker and the repair stage for other programs. The
# programs do not use it: cowvet contains no code that can write to an image.
include(CMakePackageConfigHelpers)
set(cowvet_packaging ${CMAKE_CURRENT_LIST_DIR})
set(cowvet_cmake_directory ${CMAKE_INSTALL_LIBDIR}/cmake/cowvet)

add_library(cowvet_library SHARED $<TARGET_OBJECTS:cowvet_checker> $<TARGET_OBJECTS:cowvet_repair>)
set_target_properties(cowvet_library PROPERTIES LINKER_LANGUAGE CXX)
add_library(cowvet::cowvet ALIAS cowvet_library)
# The interface may change with every minor version.
set_target_properties(cowvet_library PROPERTIES OUTPUT_NAME cowvet EXPORT_NAME cowvet
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
target_include_directories(cowvet_library INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/cowvet>)
target_link_libraries(cowvet_library
  PRIVATE $<BUILD_INTERFACE:$<TARGET_PROPERTY:cowvet_checker,LINK_LIBRARIES>> fmt::fmt
  INTERFACE fmt::fmt roaring Threads::Threads)

install(TARGETS cowvet cowvet-repair RUNTIME COMPONENT tools)
# fsck(8) looks for fsck.TYPE.
file(RELATIVE_PATH cowvet_repair_from_sbin /${CMAKE_INSTALL_SBINDIR} /${CMAKE_INSTALL_BINDIR}/cowvet-repair)
file(CREATE_LINK ${cowvet_repair_from_sbin} ${CMAKE_CURRENT_BINARY_DIR}/fsck.qcow2 SYMBOLIC)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/fsck.qcow2 DESTINATION ${CMAKE_INSTALL_SBINDIR} COMPONENT tools)
if(TARGET cowvet_nbd)
  install(TARGETS cowvet_nbd LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/cowvet COMPONENT nbd)
endif()
install(TARGETS cowvet_library EXPORT cowvetTargets
  LIBRARY COMPONENT library NAMELINK_COMPONENT development)
foreach(folder checker/analysis checker/catalogue checker/device checker/format checker/planning checker/report repair)
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.h)
  list(FILTER headers EXCLUDE REGEX "/json_values\\.h$")  # for this library's own sources: needs nlohmann-json
  install(FILES ${headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cowvet/${folder} COMPONENT development)
endforeach()
install(EXPORT cowvetTargets NAMESPACE cowvet:: DESTINATION ${cowvet_cmake_directory} COMPONENT development)

configure_package_config_file(${cowvet_packaging}/cowvetConfig.cmake.in cowvetConfig.cmake
  INSTALL_DESTINATION ${cowvet_cmake_directory})
write_basic_package_version_file(cowvetConfigVersion.cmake COMPATIBILITY SameMinorVersion)
# Relative, so that what is installed may be moved.
file(RELATIVE_PATH cowvet_pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${cowvet_packaging}/cowvet.pc.in cowvet.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/cowvetConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/cowvetConfigVersion.cmake
  DESTINATION ${cowvet_cmake_directory} COMPONENT development)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/cowvet.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT development)

# Manual pages, made from what the programs say of themselves; that of the rules is the catalogue.
find_program(HELP2MAN_PROGRAM help2man REQUIRED)
add_executable(cowvet_print_rules_page ${cowvet_packaging}/print_rules_page.cc)
target_link_libraries(cowvet_print_rules_page PRIVATE cowvet_checker cowvet_warnings)
target_compile_definitions(cowvet_print_rules_page PRIVATE COWVET_VERSION="${PROJECT_VERSION}")
add_custom_command(OUTPUT manual/made
  COMMAND cowvet_print_rules_page >cowvet-rules.7
  COMMAND ${cowvet_packaging}/make_pages.sh manual ${PROJECT_VERSION}
    $<TARGET_FILE:cowvet> $<TARGET_FILE:cowvet-repair> cowvet-rules.7
  COMMAND ${CMAKE_COMMAND} -E touch manual/made
  DEPENDS cowvet cowvet-repair cowvet_print_rules_page ${cowvet_packaging}/make_pages.sh
    ${cowvet_packaging}/pages/cowvet.h2m ${cowvet_packaging}/pages/cowvet-repair.h2m ${cowvet_packaging}/pages/command.h2m
    ${cowvet_packaging}/pages/cowvet-policy.5)
add_custom_target(cowvet_manual ALL DEPENDS manual/made)
install(DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/manual/ DESTINATION ${CMAKE_INSTALL_MANDIR} COMPONENT tools
  PATTERN made EXCLUDE)

# Completion: each shell looks for a file by the name of the command.
foreach(command cowvet cowvet-repair)
  install(FILES ${cowvet_packaging}/completions/cowvet.bash
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME ${command} COMPONENT tools)
  install(FILES ${cowvet_packaging}/completions/cowvet.fish
    DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME ${command}.fish COMPONENT tools)
endforeach()
install(FILES ${cowvet_packaging}/completions/_cowvet DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions
  COMPONENT tools)

# Job files that spread a triage over machines.
set(cowvet_jobs ${PROJECT_SOURCE_DIR}/checker/share/jobs)
set(cowvet_examples ${CMAKE_INSTALL_DATADIR}/doc/cowvet/examples)
install(PROGRAMS ${cowvet_jobs}/triage-shard ${cowvet_jobs}/triage-parallel ${cowvet_jobs}/triage.sbatch
  DESTINATION ${cowvet_examples} COMPONENT tools)
install(FILES ${cowvet_jobs}/README.md ${cowvet_jobs}/triage-job.yaml DESTINATION ${cowvet_examples} COMPONENT tools)

# A policy to begin with.
install(FILES ${PROJECT_SOURCE_DIR}/checker/share/policy/boot.policy DESTINATION ${cowvet_examples} COMPONENT tools)

# For hosts: a hook of libvirt and units of systemd. The administrator puts them in force.
install(PROGRAMS ${PROJECT_SOURCE_DIR}/checker/share/libvirt/cowvet-gate
  DESTINATION ${CMAKE_INSTALL_DATADIR}/cowvet/libvirt COMPONENT tools)
install(FILES ${PROJECT_SOURCE_DIR}/checker/share/systemd/cowvet-check.service
  ${PROJECT_SOURCE_DIR}/checker/share/systemd/cowvet-check.timer
  DESTINATION ${CMAKE_INSTALL_DATADIR}/cowvet/systemd COMPONENT tools)
