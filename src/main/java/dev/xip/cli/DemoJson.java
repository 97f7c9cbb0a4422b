package dev.xip.cli;

import dev.xip.demo.DemoReport;
import dev.xip.demo.ExecAct;
import dev.xip.demo.SecondAct;
import dev.xip.demo.ThirdAct;
import dev.xip.linux.RunAccount;
import dev.xip.measure.StrategyTable;
import java.io.IOException;

/** Prints the results of the demo as one JSON object. */
final class DemoJson {
  private DemoJson() {}

  static void print(DemoReport report, Output out) throws IOException {
    DemoReport.Counts counts = report.counts();
    JsonWriter json = new JsonWriter(out).beginObject();
    json.member("source", report.source())
        .member("format", report.info().format())
        .member("segment", report.segmentName())
        .member("physicalStart", report.physical().start())
        .member("physicalEnd", report.physical().end())
        .member("windowBytes", report.windowBytes())
        .member("ramBytes", report.ramBytes())
        .member("imageBytes", report.imageBytes())
        .member("files", counts.files())
        .member("filesNotInPlace", counts.notInPlace())
        .member("bytesRead", counts.bytesRead())
        .member("pagesRead", counts.pagesRead())
        .member("sha256Mismatches", counts.sha256Mismatches())
        .member("specialEntries", counts.specialEntries())
        .member("normalEntries", counts.normalEntries())
        .member("faults", counts.faults())
        .member("framesInUseBefore", counts.framesInUseBefore())
        .member("framesInUseAfter", counts.framesInUseAfter())
        .member("memMapBytesBefore", counts.memMapBytesBefore())
        .member("memMapBytesAfter", counts.memMapBytesAfter())
        .member("controlFrames", counts.controlFrames())
        .member("controlPeakFrames", counts.controlPeakFrames())
        .member("pageTableBytes", counts.pageTableBytes())
        .member("structPageBytesAvoided", counts.structPageBytesAvoided())
        .member("privateDirtyBytes", report.privateDirtyBytes())
        .member("nativeDisagreements", counts.nativeDisagreements())
        .member("touchSeconds", report.times().touch())
        .member("readSeconds", report.times().read())
        .member("sourceSeconds", report.times().source())
        .member("controlSeconds", report.times().control())
        .member("seconds", report.times().all());
    secondAct(report, json);
    json.name("broken").beginArray();
    for (String each : report.broken()) {
      json.value(each);
    }
    json.endArray().endObject().finish();
  }

  private static void secondAct(DemoReport report, JsonWriter json) throws IOException {
    SecondAct act = report.secondAct();
    json.name("secondAct")
        .beginObject()
        .member("path", act.path())
        .member("writeFaults", act.writeFaults())
        .member("copies", act.copies())
        .member("originalKept", act.originalKept())
        .member("specialEntries", act.specialEntries())
        .member("forkFrames", act.forkFrames())
        .member("childFrames", act.childFrames())
        .member("parentKept", act.parentKept())
        .member("framesLeft", act.framesLeft())
        .endObject();
    ExecAct exec = report.exec();
    if (exec != null) {
      json.name("exec")
          .beginObject()
          .member("program", exec.program())
          .member("mappings", exec.mappings())
          .member("mutexBug", exec.bug())
          .member("mutexChain", String.join(" > ", exec.chain()))
          .endObject();
    }
    json.name("thirdAct").beginObject().member("absent", report.thirdAct().absent());
    json.name("runs").beginArray();
    for (ThirdAct.Run run : report.thirdAct().runs()) {
      RunAccount account = run.result().account();
      json.beginObject()
          .member("command", run.command())
          .member("output", run.output())
          .member("status", run.result().status())
          .member("systemCalls", account.exits().systemCalls())
          .member("pageFaults", account.exits().pageFaults())
          .member("specialPages", account.entries().special())
          .member("textFrames", account.entries().textFrames())
          .member("framesAtMost", account.most().all())
          .member("seconds", account.nanos() / 1e9)
          .endObject();
    }
    json.endArray().endObject();
    json.name("strategies").beginArray();
    for (StrategyTable.Line each : report.strategies()) {
      json.beginObject()
          .member("strategy", each.strategy())
          .member("segment", each.segment().toString())
          .member("ram", each.ram().toString())
          .member("nanosPerEntry", each.nanos())
          .member("underLock", each.underLock())
          .name("breaks")
          .beginArray();
      for (String way : each.breaks()) {
        json.value(way);
      }
      json.endArray().endObject();
    }
    json.endArray();
  }
}
