// What a program does with a client made by openapi-generator for Java.
import java.util.List;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.DefaultApi;
import org.openapitools.client.model.*;

class Client {
  public static void main(String[] arguments) throws Exception {
    var client = new ApiClient();
    client.updateBaseUri(arguments[0]);
    client.setRequestInterceptor(request -> request.header("auth", arguments[1]));
    var api = new DefaultApi(client);
    var account = "649bdcaf5037ed113942xxxx";
    var agent = new CreateAgentRequest()
        .emailId("nov5uat@mailinator.com")
        .firstName("nov05")
        .lastName("agent3")
        .roleId("67654be356840f366e79xxxx");
    var created = api.createAgentWithHttpInfo("st-1", account, agent);
    var english = new UpdateAgentRequestVoiceLanguageSupportItem()
        .language("en")
        .proficiency(UpdateAgentRequestVoiceLanguageSupportItem.ProficiencyEnum.EXPERT);
    var update = new UpdateAgentRequest()
        .emailId(agent.getEmailId())
        .firstName(agent.getFirstName())
        .lastName(agent.getLastName())
        .phoneNumber("1345678299")
        .voiceLanguageSupport(List.of(english))
        .chatLanguageSupport(List.of())
        .skills(List.of());
    var updated = api.updateAgentWithHttpInfo("st-1", "a-1", "ag-1", account, update);
    var group = new SkillGroup()
        .id("6656d350463a7e1fc890xxxx")
        .name("Billing")
        .description("Questions about bills")
        .status(SkillGroup.StatusEnum.ACTIVE)
        .color("#D2000D")
        .skills(List.of())
        .isDefault(false)
        .iId("st-1")
        .createdByAId("a-1");
    var about = new ImportDataV2RequestMetaData()
        .orgId("o-1")
        .accountId(account)
        .type(ImportDataV2RequestMetaData.TypeEnum.SKILL_GROUPS)
        .userId("u-1");
    var groups = new ImportDataV2Request().data(List.of(new ImportDataV2RequestDataInner(group))).metaData(about);
    var imported = api.importDataV2WithHttpInfo("st-1", account, "o-1", "skillGroups", account, groups);
    try {
      api.createAgent("st-1", account, agent.emailId("nobody"));
    } catch (ApiException refused) {
      var refusal = client.getObjectMapper().readValue(refused.getResponseBody(), VendorErrors.class);
      System.out.printf(
          "{\"statuses\": [%d, %d, %d, %d], \"created\": \"%s\", \"updated\": \"%s\", \"refused\": \"%s\"}%n",
          created.getStatusCode(), updated.getStatusCode(), imported.getStatusCode(), refused.getCode(),
          created.getData().getEmailId(), updated.getData().getFirstName(),
          refusal.getErrors().get(0).getViolations().get(0).getPointer());
    }
  }
}
