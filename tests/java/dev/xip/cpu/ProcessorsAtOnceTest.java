package dev.xip.cpu;

import static dev.xip.cpu.GuestMachine.load;
import static dev.xip.cpu.GuestMachine.loaded;
import static dev.xip.cpu.GuestMachine.prepare;
import static dev.xip.cpu.GuestMachine.store;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.file.MemoryFile;
import dev.xip.host.GuestPages;
import dev.xip.host.Register;
import dev.xip.testing.Judge;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.FaultResult;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryFaultException;
import dev.xip.vm.TestMachine;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** Processors that run on threads of their own while others change the tables. */
@Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
class ProcessorsAtOnceTest {
  private static final long VA = 0x7000_5000L;
  private static final int ROUNDS = 200;

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private TestMachine machine;
  private Processors processors;

  @BeforeEach
  void boot() throws IOException {
    Judge.kvm();
    machine = new TestMachine();
    processors = Processors.boot(machine.manager);
  }

  @AfterEach
  void close() {
    threads.shutdownNow();
    if (processors != null) {
      processors.close();
      machine.close();
    }
  }

  private AddressSpace anonymous(String name) throws IOException {
    AddressSpace space = machine.space(name);
    space.map(MapRequest.anonymous(8 * Pages.SIZE, Access.READ_WRITE).at(VA));
    return space;
  }

  /** Runs a loop of user mode on its own thread, until it faults and the fault is refused. */
  private Future<Exit> start(AddressSpace space, long code, long rsi) throws Exception {
    CountDownLatch runs = new CountDownLatch(1);
    Future<Exit> end =
        threads.submit(
            () -> {
              try (VirtualProcessor cpu = processors.take()) {
                cpu.use(space);
                load(cpu, VA);
                prepare(cpu, GuestPages.BASE + code, VA, rsi);
                runs.countDown();
                while (true) {
                  Exit exit = cpu.run();
                  if (!(exit instanceof Exit.PageFault fault)
                      || space.fault(fault.address(), fault.access())
                          instanceof FaultResult.Refused) {
                    return exit;
                  }
                }
              }
            });
    runs.await();
    Thread.sleep(20);
    return end;
  }

  @Test
  void anEndlessLoopIsInterrupted() throws Exception {
    CountDownLatch taken = new CountDownLatch(1);
    VirtualProcessor[] cpu = new VirtualProcessor[1];
    Future<Exit> end =
        threads.submit(
            () -> {
              cpu[0] = processors.take();
              taken.countDown();
              cpu[0].set(Register.RIP, GuestPages.BASE + GuestPages.USER_SPIN);
              return cpu[0].run();
            });
    taken.await();
    Thread.sleep(30);
    cpu[0].interrupt();
    assertThat(end.get()).isEqualTo(Exit.Interrupted.INTERRUPTED);
    assertThat(cpu[0].get(Register.RAX)).isPositive();
    assertThat(cpu[0].get(Register.RIP) - GuestPages.BASE)
        .isBetween(GuestPages.USER_SPIN, GuestPages.USER_SPIN + 4);
    cpu[0].close();
  }

  @Test
  void aRunningProcessorLosesAMappingAtOnce() throws Exception {
    for (int round = 0; round < 20; round++) {
      AddressSpace space = anonymous("unmapped");
      Future<Exit> end = start(space, GuestPages.USER_POLL, 0);
      assertThat(end.isDone()).isFalse();
      space.unmap(AddrRange.ofLength(VA, Pages.SIZE));
      assertThat(end.get()).isEqualTo(new Exit.PageFault(VA, Access.READ, false));
      space.close();
    }
  }

  @Test
  void aFileThatIsTruncatedUnderARunningProcessorGivesABusError() throws Exception {
    MemoryFile file = machine.file("cut", 8);
    AddressSpace space = machine.space("cut");
    space.map(MapRequest.shared(file, Access.READ).at(VA));
    Future<Exit> end = start(space, GuestPages.USER_POLL, 1);
    assertThat(end.isDone()).isFalse();
    file.truncate(0);
    assertThat(end.get()).isEqualTo(new Exit.PageFault(VA, Access.READ, false));
    assertThat(space.fault(VA, Access.READ))
        .isInstanceOfSatisfying(
            FaultResult.Refused.class,
            refused ->
                assertThat(refused.cause()).isInstanceOf(MemoryFaultException.BusError.class));
    space.close();
  }

  @Test
  void aStoreOfAnotherSpaceIsSeenByARunningProcessor() throws Exception {
    MemoryFile file = machine.file("shared", 2);
    AddressSpace reader = machine.space("reader");
    reader.map(MapRequest.shared(file, Access.READ).at(VA));
    Future<Exit> end = start(reader, GuestPages.USER_POLL, 1);
    AddressSpace writer = machine.space("writer");
    writer.map(MapRequest.shared(file, Access.READ_WRITE).at(VA));
    try (VirtualProcessor cpu = processors.take()) {
      cpu.use(writer);
      store(cpu, VA, 77);
      assertThat(end.get()).isEqualTo(Exit.SystemCall.CALL);
    }
    reader.close();
    writer.close();
  }

  @Test
  void processorsOfDifferentSpacesRunAtOnce() throws Exception {
    List<Callable<Integer>> programs = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      int number = i;
      programs.add(() -> storesAndLoads(number));
    }
    for (Future<Integer> each : threads.invokeAll(programs)) {
      assertThat(each.get()).isEqualTo(ROUNDS);
    }
  }

  private int storesAndLoads(int number) throws IOException {
    int right = 0;
    try (VirtualProcessor cpu = processors.take()) {
      for (int round = 0; round < ROUNDS; round += 20) {
        AddressSpace space = anonymous("space " + number);
        cpu.use(space);
        for (int i = round; i < round + 20; i++) {
          long va = VA + (i % 8) * Pages.SIZE + i;
          store(cpu, va, number + i);
          load(cpu, va);
          right += loaded(cpu) == (byte) (number + i) ? 1 : 0;
        }
        cpu.leave();
        space.close();
      }
    }
    return right;
  }

  @Test
  void aChildOfForkNeverSeesAStoreThatTheParentMakesLater() throws Exception {
    AddressSpace parent = anonymous("parent");
    Future<Integer> stores =
        threads.submit(
            () -> {
              int made = 0;
              try (VirtualProcessor cpu = processors.take()) {
                cpu.use(parent);
                while (!Thread.interrupted() && made < 20 * ROUNDS) {
                  store(cpu, VA, ++made);
                }
              }
              return made;
            });
    for (int i = 0; i < 50; i++) {
      try (AddressSpace child = parent.fork("child")) {
        byte first = new AddressReader(child).getByte(VA);
        Thread.sleep(1);
        assertThat(new AddressReader(child).getByte(VA)).isEqualTo(first);
      }
    }
    assertThat(stores.get()).isEqualTo(20 * ROUNDS);
    assertThat(new AddressReader(parent).getByte(VA)).isEqualTo((byte) (20 * ROUNDS));
    parent.close();
  }
}
