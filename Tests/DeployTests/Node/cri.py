# SPDX-License-Identifier: Apache-2.0
"""The container runtime interface of Kubernetes, as far as these tests speak it.

Messages are listed with the numbers they have on the wire and turned into classes at run time: no generated code, no
compiler. Fields that are not listed are not sent, and are skipped when they arrive.
"""

import os

# The library's own handlers of forks abort the child now and then; programs started without them never notice it.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

import grpc
from agent import UNTIL_HUNG_SECONDS
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "runtime.v1"

# One message a line, longer ones continued with an indent: its fields as name=number:type, repeated ones with a star. A
# map is sent as its entries.
MESSAGES = """
Entry key=1:string value=2:string
Number value=1:int64
VersionRequest version=1:string
VersionResponse version=1:string runtime_name=2:string runtime_version=3:string
Namespaces network=1:int32 pid=2:int32 ipc=3:int32
Profile profile_type=1:int32 localhost_ref=2:string
PodMetadata name=1:string uid=2:string namespace=3:string attempt=4:uint32
PodSecurity namespace_options=1:Namespaces run_as_user=3:Number run_as_group=8:Number readonly_rootfs=4:bool
  privileged=6:bool seccomp=9:Profile apparmor=10:Profile
PodLinux cgroup_parent=1:string security_context=2:PodSecurity
PodConfig metadata=1:PodMetadata hostname=2:string log_directory=3:string labels=6*:Entry annotations=7*:Entry
  linux=8:PodLinux
RunPodSandboxRequest config=1:PodConfig
RunPodSandboxResponse pod_sandbox_id=1:string
StopPodSandboxRequest pod_sandbox_id=1:string
StopPodSandboxResponse
RemovePodSandboxRequest pod_sandbox_id=1:string
RemovePodSandboxResponse
Image image=1:string
Mount container_path=1:string host_path=2:string readonly=3:bool propagation=5:int32
Resources cpu_period=1:int64 cpu_quota=2:int64 cpu_shares=3:int64 memory_limit_in_bytes=4:int64
Capabilities add_capabilities=1*:string drop_capabilities=2*:string
ContainerSecurity capabilities=1:Capabilities privileged=2:bool namespace_options=3:Namespaces run_as_user=5:Number
  run_as_group=12:Number readonly_rootfs=7:bool no_new_privs=11:bool masked_paths=13*:string readonly_paths=14*:string
  seccomp=15:Profile apparmor=16:Profile
ContainerLinux resources=1:Resources security_context=2:ContainerSecurity
ContainerMetadata name=1:string attempt=2:uint32
ContainerConfig metadata=1:ContainerMetadata image=2:Image command=3*:string args=4*:string envs=6*:Entry
  mounts=7*:Mount labels=9*:Entry annotations=10*:Entry log_path=11:string linux=15:ContainerLinux
CreateContainerRequest pod_sandbox_id=1:string config=2:ContainerConfig sandbox_config=3:PodConfig
CreateContainerResponse container_id=1:string
StartContainerRequest container_id=1:string
StartContainerResponse
ExecSyncRequest container_id=1:string cmd=2*:string timeout=3:int64
ExecSyncResponse stdout=1:bytes stderr=2:bytes exit_code=3:int32
StopContainerRequest container_id=1:string timeout=2:int64
StopContainerResponse
ContainerStatusRequest container_id=1:string verbose=2:bool
ContainerState id=1:string state=3:int32 exit_code=7:int32 image_ref=9:string reason=10:string
ContainerStatusResponse status=1:ContainerState info=2*:Entry
"""

# The values of the enumerations above that are used here.
NAMESPACE_OF_POD, NAMESPACE_OF_CONTAINER, NAMESPACE_OF_NODE = 0, 1, 2
PROPAGATIONS = {"None": 0, "HostToContainer": 1, "Bidirectional": 2}
PROFILES = {"RuntimeDefault": 0, "Unconfined": 1, "Localhost": 2}


def entries(table):
    return [{"key": key, "value": value} for key, value in table.items()]


def message_classes():
    field_type = descriptor_pb2.FieldDescriptorProto
    scalars = {"string": field_type.TYPE_STRING, "bool": field_type.TYPE_BOOL, "int32": field_type.TYPE_INT32,
               "int64": field_type.TYPE_INT64, "uint32": field_type.TYPE_UINT32, "bytes": field_type.TYPE_BYTES}
    file = descriptor_pb2.FileDescriptorProto(name="cri.proto", package=PACKAGE, syntax="proto3")
    for line in MESSAGES.replace("\n  ", " ").strip().splitlines():
        name, *fields = line.split()
        message = file.message_type.add(name=name)
        for field in fields:
            label, _, kind = field.partition(":")
            label, _, number = label.partition("=")
            made = message.field.add(name=label, number=int(number.rstrip("*")))
            made.label = field_type.LABEL_REPEATED if number.endswith("*") else field_type.LABEL_OPTIONAL
            if kind in scalars:
                made.type = scalars[kind]
            else:
                made.type, made.type_name = field_type.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {message.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{message.name}"))
            for message in file.message_type}


class Runtime:
    """Calls of the runtime's service by their names: `runtime.StartContainer(container_id=…)`."""

    def __init__(self, socket):
        # No proxy for a socket of this machine, whatever the environment says, and no connection of one that was closed.
        self.channel = grpc.insecure_channel(
            f"unix://{socket}", options=[("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)])
        self.classes = message_classes()

    def close(self):
        self.channel.close()

    def __getattr__(self, name):
        request, response = self.classes[f"{name}Request"], self.classes[f"{name}Response"]
        call = self.channel.unary_unary(
            f"/{PACKAGE}.RuntimeService/{name}", request_serializer=request.SerializeToString,
            response_deserializer=response.FromString)
        return lambda **fields: call(request(**fields), timeout=UNTIL_HUNG_SECONDS, wait_for_ready=True)
