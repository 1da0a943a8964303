// SPDX-License-Identifier: Apache-2.0
#include "lanerope/service.h"

#include "service/engine_thread.h"

namespace lanerope {

Service::Service(std::shared_ptr<const Model> model, const ServiceOptions& options, ServiceObserver* observer)
    : thread_(std::make_unique<service::EngineThread>(std::move(model), options, observer)) {}
Service::~Service() = default;

std::shared_ptr<GroupStream> Service::submit(std::shared_ptr<const ResolvedRequest> request) {
  return thread_->submit(std::move(request));
}

std::shared_ptr<GroupStream> Service::try_submit(std::shared_ptr<const ResolvedRequest> request) {
  return thread_->try_submit(std::move(request));
}

void Service::cancel(GroupId group) {
  thread_->cancel(group);
}

GroupId Service::find(std::string_view public_id) const {
  return thread_->find(public_id);
}

void Service::drain() {
  thread_->drain();
}

void Service::shut_down() {
  thread_->shut_down();
}

void Service::abandon(const std::string& sentence) {
  thread_->abandon(sentence);
}

bool Service::idle() const {
  return thread_->idle();
}

bool Service::failed() const {
  return thread_->failed();
}

EngineState Service::state() const {
  return thread_->state();
}

void Service::post(std::function<void(Engine&)> job) {
  thread_->post(std::move(job));
}

void Service::throw_refusal() const {
  thread_->throw_refusal();
}

void Service::require(GroupId group, Wanted wanted) {
  thread_->require(group, wanted);
}

}  // namespace lanerope
