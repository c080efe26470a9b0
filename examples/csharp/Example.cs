// Makes an upload token that is valid for an hour, lists all tokens, and revokes the new one.
using System;
using ApiVideo;

internal static class Example
{
    private static int Main()
    {
        try
        {
            using (var client = new ApiVideoClient(new ClientOptions
            {
                ApiKey = Environment.GetEnvironmentVariable("APIVIDEO_API_KEY"),
                BaseUrl = Environment.GetEnvironmentVariable("APIVIDEO_BASE_URL"), // null is production
            }))
            {
                UploadToken token = client.CreateToken(TimeSpan.FromHours(1));
                Console.WriteLine("{0} is valid until {1:u}", token.Id, token.ExpiresAt);
                foreach (UploadToken each in client.Tokens())
                    Console.WriteLine("{0}  made {1:u}", each.Id, each.CreatedAt);
                client.DeleteToken(token.Id);
                return 0;
            }
        }
        catch (ApiVideoException exception)
        {
            Console.Error.WriteLine("{0}: {1}", exception.Status, exception.Message);
            return 1;
        }
    }
}
