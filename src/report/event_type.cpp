#include "pgsluice/event.hpp"

namespace pgsluice {

namespace {

struct Name {
  const char* operator()(const event::RunStarted&) const { return "run_started"; }
  const char* operator()(const event::StepStarted&) const { return "step_started"; }
  const char* operator()(const event::StepEnded&) const { return "step_ended"; }
  const char* operator()(const event::Statement&) const { return "statement"; }
  const char* operator()(const event::Batch&) const { return "batch"; }
  const char* operator()(const event::BatchFailed&) const { return "batch_failed"; }
  const char* operator()(const event::Split&) const { return "split"; }
  const char* operator()(const event::Lease&) const { return "lease"; }
  const char* operator()(const event::Throttle&) const { return "throttle"; }
  const char* operator()(const event::Tune&) const { return "tune"; }
  const char* operator()(const event::Command&) const { return "command"; }
  const char* operator()(const event::State&) const { return "state"; }
  const char* operator()(const event::Verify&) const { return "verify"; }
  const char* operator()(const event::Hook&) const { return "hook"; }
  const char* operator()(const event::Warning&) const { return "warning"; }
  const char* operator()(const event::Status&) const { return "status"; }
  const char* operator()(const event::Summary&) const { return "summary"; }
};

}  // namespace

const char* event_type(const EventBody& body) {
  return std::visit(Name{}, body);
}

}  // namespace pgsluice
